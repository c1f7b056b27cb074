/** The packed library, used from an empty folder as its README says. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sigma-package-"));
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-b", "packages/sigma"], { cwd: root });
  mkdirSync(join(folder, "node_modules/@vedette"), { recursive: true });
  for (const name of ["condition", "sigma"]) {
    const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: join(root, "packages", name),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    execFileSync("tar", ["-xzf", join(folder, filename), "-C", folder]);
    execFileSync("mv", [join(folder, "package"), join(folder, "node_modules/@vedette", name)]);
  }
  // what a registry would give
  for (const name of ["re2js", "yaml"]) symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the README's examples run and print what they say", () => {
  const readme = readFileSync(join(folder, "node_modules/@vedette/sigma/README.md"), "utf8");
  const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((found) => found[1]!);
  const printed = examples.map((example, i) => {
    const file = join(folder, `example${i}.mts`);
    writeFileSync(file, example);
    return execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
  });
  expect(printed).toHaveLength(2);
  expect(printed[0]).toMatch(/Whoami as SYSTEM[\s\S]*process\.executable/);
  expect(printed[1]!.trim()).toBe("Password guessing 203.0.113.9 3 events");
}, 60_000);

test("its types hold in a strict project", () => {
  writeFileSync(
    join(folder, "use.ts"),
    'import { parseRules, type SigmaRule } from "@vedette/sigma";\nexport const first: SigmaRule | undefined = parseRules("", "x.yml").rules[0];\n',
  );
  const options = [
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--types",
    "node",
    "--typeRoots",
    join(root, "node_modules/@types"),
    "use.ts",
  ];
  execFileSync(join(root, "node_modules/.bin/tsc"), options, { cwd: folder, stdio: "pipe" });
}, 120_000);

test("no test and no source map of ours is in it", () => {
  const files = execFileSync("find", [join(folder, "node_modules/@vedette/sigma"), "-name", "*.test.*"], { encoding: "utf8" });
  expect(files).toBe("");
});
