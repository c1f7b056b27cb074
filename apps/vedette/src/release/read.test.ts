import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRelease } from "./read.ts";
import { zip } from "./zip.test.data.ts";

const rule = (n: number, more = "") => `title: R${n}\nlogsource: { product: linux }\ndetection: { a: { b: c }, condition: a }\n${more}`;
const files = [
  ["rules/linux/a.yml", rule(1)],
  ["rules/b.yaml", rule(2)],
  ["rules-hunting/c.yml", rule(3)],
  ["deprecated/d.yml", rule(4, "status: deprecated\n")],
  ["tests/data.yml", "name: no rule\n"],
  [".github/e.yml", rule(5)],
  ["LICENSE", "The licence.\n"],
  ["rules/LICENSE.md", "Of a part.\n"],
] as const;
const names = ["rules-hunting/c.yml", "rules/b.yaml", "rules/linux/a.yml"];

let work: string;
let folder: string;
const at = (name: string) => join(work, name);
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", ...args], { cwd: folder })
    .toString()
    .trim();

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "vedette-release-"));
  folder = at("sigma-1.0");
  for (const [name, text] of files) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  // what a link points at does not belong to the folder
  symlinkSync("/etc/hostname", join(folder, "rules/link.yml"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

const read = (from: string, more = {}) => readRelease(from, { pack: "sigmahq", ...more });
const filesOf = ({ release }: ReturnType<typeof read>) => release.rules.map(({ file }) => file).sort();

describe("the same rules come of", () => {
  test("a folder", () => {
    const found = read(folder);
    expect(filesOf(found)).toEqual(names);
    expect(found.release.licence).toBe("The licence.\n");
    expect(Object.fromEntries(found.left_out)).toEqual({ "status deprecated": 1, "no rules": 1, "in a hidden folder": 1 });
    expect(filesOf(read(folder, { path: "./rules/" }))).toEqual(names.slice(1));
  });
  test("a zip and a tar.gz of it, without the folder that they are packed in", () => {
    writeFileSync(at("s.zip"), zip(files.map(([name, text]) => [`sigma-1.0/${name}`, text])));
    execFileSync("tar", ["czf", at("s.tgz"), "-C", work, "sigma-1.0"]);
    execFileSync("tar", ["cf", at("s.tar"), "--format=pax", "-C", folder, "."]);
    for (const name of ["s.zip", "s.tgz", "s.tar"]) {
      const found = read(at(name));
      expect([name, filesOf(found), found.release.licence]).toEqual([name, names, "The licence.\n"]);
    }
  });
  test("a commit, whatever the folder holds meanwhile; of a URL only by its whole id", () => {
    git("init", "-q", "-b", "main");
    git("add", ".");
    git("commit", "-q", "-m", "one");
    const commit = git("rev-parse", "HEAD");
    writeFileSync(join(folder, "rules/b.yaml"), rule(22));
    const found = read(folder, { commit: "HEAD" });
    expect([filesOf(found), found.release.origin]).toEqual([names, `${folder} at ${commit}`]);
    expect(found.release.rules.find(({ file }) => file === "rules/b.yaml")!.text).toBe(rule(2));
    const far = read(`file://${folder}`, { commit });
    expect([filesOf(far), far.release.origin]).toEqual([names, `file://${folder} at ${commit}`]);
    expect(() => read(`file://${folder}`)).toThrow(`its newest is ${commit}`);
    expect(() => read(`file://${folder}`, { commit: "main" })).toThrow("--commit");
    expect(() => read(folder, { commit: "--output=/tmp/x" })).toThrow("not a revision");
    expect(() => read(folder, { commit: "nowhere" })).toThrow("no such revision");
    expect(() => read("ext::sh -c 'touch /tmp/x'", { commit })).toThrow("no such file or folder");
  });
});

test("long paths of a tar archive are read whole", () => {
  const deep = join(work, "deep", "x".repeat(90), "y".repeat(90));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, `${"z".repeat(120)}.yml`), rule(1));
  writeFileSync(join(work, "deep", "b.yml"), rule(2));
  for (const format of ["gnu", "pax"]) {
    execFileSync("tar", ["cf", at("deep.tar"), `--format=${format}`, "-C", join(work, "deep"), "."]);
    expect(filesOf(read(at("deep.tar")))).toEqual(["b.yml", `${"x".repeat(90)}/${"y".repeat(90)}/${"z".repeat(120)}.yml`]);
  }
});

test("broken and hostile archives are refused by name", () => {
  const whole = zip([["a.yml", rule(8)]]);
  const directory = whole.indexOf("PK\u0001\u0002");
  const with_ = (change: (archive: Buffer) => void) => {
    const copy = Buffer.from(whole);
    change(copy);
    return copy;
  };
  const cases: readonly (readonly [name: string, bytes: Buffer, message: string])[] = [
    ["cut.zip", whole.subarray(0, 80), "its directory is missing"],
    ["longer-than-said.zip", with_((z) => z.writeUInt32LE(10, directory + 24)), "does not unpack"],
    ["huge.zip", with_((z) => z.writeUInt32LE(0x7fffffff, directory + 24)), "no Sigma rule found"],
    ["checksum.zip", with_((z) => z.writeUInt32LE(1, directory + 16)), "checksum"],
    ["encrypted.zip", with_((z) => z.writeUInt16LE(1, directory + 8)), "is encrypted"],
    ["elsewhere.zip", with_((z) => z.writeUInt32LE(5, directory + 42)), "is not where the directory says"],
    ["method.zip", with_((z) => z.writeUInt16LE(12, directory + 10)), "packed by method 12"],
    ["none.zip", zip([["readme.yml", "a: 1\n"]]), "no Sigma rule found"],
    ["odd.tar.gz", gzipSync(Buffer.alloc(4_096, 7)), "not a tar archive"],
    ["odd.tgz", Buffer.from([0x1f, 0x8b, 8, 0, 1]), "does not unpack"],
    ["empty.tar", Buffer.alloc(0), "no Sigma rule found"],
  ];
  for (const [name, bytes, message] of cases) {
    writeFileSync(at(name), bytes);
    expect(() => read(at(name)), name).toThrow(message);
  }
  writeFileSync(
    at("out.zip"),
    zip([
      ["../../a.yml", rule(8)],
      ["b.yml", rule(9)],
    ]),
  );
  const out = read(at("out.zip"));
  expect([filesOf(out), [...out.left_out.keys()]]).toEqual([["b.yml"], ["with a way out of the archive in its name"]]);
});
