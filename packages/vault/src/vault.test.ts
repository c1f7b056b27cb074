import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Files, VedetteError } from "@vedette/kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { rootKey } from "./key.ts";
import { KeyRing } from "./ring.ts";
import { readKeys } from "./sources.ts";
import { Vault } from "./vault.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const text = (all: Uint8Array) => Buffer.from(all).toString();
const root = (name: string) => rootKey(bytes(`a secret for tests: ${name}`), name);
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (e) {
    return e instanceof VedetteError ? e.code : String(e);
  }
};

test("what is sealed opens with every ring that has its key, and only for its purpose and place", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.string(), (plain, place) => {
      const box = new KeyRing([root("old")]).sealer("totp").seal(plain, place);
      const both = new KeyRing([root("new"), root("old")]);
      expect(both.sealer("totp").open(box, place)).toEqual(plain);
      expect(codeOf(() => both.sealer("other").open(box, place))).toBe("sealed_damaged");
      expect(codeOf(() => both.sealer("totp").open(box, `${place}x`))).toBe("sealed_damaged");
      expect(codeOf(() => new KeyRing([root("new")]).sealer("totp").open(box, place))).toBe("sealed_key_missing");
    }),
    { numRuns: 50 },
  );
});

test("every changed or missing byte is found", () => {
  const sealer = new KeyRing([root("one")]).sealer("totp");
  const box = sealer.seal(bytes("otpauth"), "alice");
  for (let at = 0; at < box.length; at++) {
    const changed = new Uint8Array(box);
    changed[at]! ^= 1;
    expect(["sealed_damaged", "sealed_key_missing"]).toContain(codeOf(() => sealer.open(changed, "alice")));
    expect(codeOf(() => sealer.open(box.subarray(0, at), "alice"))).toBe("sealed_damaged");
  }
  expect(text(sealer.open(box, "alice"))).toBe("otpauth");
});

test("equal texts give different boxes, and purposes different keys", () => {
  const ring = new KeyRing([root("one")]);
  const sealer = ring.sealer("totp");
  expect(sealer.seal(bytes("same"), "a")).not.toEqual(sealer.seal(bytes("same"), "a"));
  expect(ring.derive("jwt", 32)).not.toEqual(ring.derive("cookies", 32));
  expect(ring.derive("jwt", 32)[0]).toEqual(new KeyRing([root("one"), root("old")]).derive("jwt", 32)[0]);
});

const folder = () => mkdtempSync(join(tmpdir(), "vedette-vault-"));

test("keys come from SECRET_KEY, a file, a command and the directory, newest first; the directory's is made where there is no other", async () => {
  const directory = folder();
  const made = await readKeys({ directory });
  expect(made).toHaveLength(1);
  expect(statSync(join(directory, "secret.key")).mode & 0o777).toBe(0o600);
  const file = join(directory, "keys.txt");
  writeFileSync(file, "# rotated in November\nfile-key-number-two\n\nfile-key-number-one\n");
  const print = [process.execPath, "-e", "console.log('command-key-number-one')"];
  const all = await readKeys({ directory, secret: "environment-key-1", file, command: print });
  expect(all.map(({ secret }) => text(secret)).slice(0, 4)).toEqual([
    "environment-key-1",
    "file-key-number-two",
    "file-key-number-one",
    "command-key-number-one",
  ]);
  expect(all[4]).toEqual(made[0]);
  expect(await readKeys({ directory: folder(), secret: "environment-key-1" })).toHaveLength(1);
});

test("what gives no key says where and what was expected, and repeats no secret", async () => {
  const directory = folder();
  const refused = (sources: object) => readKeys({ directory, ...sources }).then(String, (e: Error) => e.message);
  const file = join(directory, "keys.txt");
  expect(await refused({ file })).toContain("keys.txt: no such file");
  writeFileSync(file, "long-enough-for-a-key\nshort-hunter2\n");
  const short = await refused({ file });
  expect(short).toContain("keys.txt:2: expected a key of 16 to 4096 characters, found one of 13");
  expect(short).not.toContain("hunter2");
  writeFileSync(file, "\n# nothing\n");
  expect(await refused({ file })).toContain("expected a key, found nothing");
  const node = (code: string) => refused({ command: [process.execPath, "-e", code] });
  expect(await node("process.stderr.write('hunter2'); process.exit(3)")).toMatch(/gave no key: exit code 3$/);
  expect(await node("process.stdout.write('x'.repeat(100_000))")).toContain("more than 65536 bytes");
  expect(await refused({ command: ["/no/such/program"] })).toContain("ENOENT");
  // no shell reads the arguments
  const marker = join(directory, "marker");
  await refused({ command: [process.execPath, "-e", "0", `; touch ${marker}`] });
  expect(statSync(marker, { throwIfNoEntry: false })).toBeUndefined();
});

test("a secret is made once, kept sealed, and told from a damaged one", async () => {
  const directory = folder();
  const vault = await Vault.open({ directory });
  const first = await vault.keep("signing", () => new Uint8Array(randomBytes(32)));
  const both = await Promise.all([vault.keep("other", () => bytes("one")), vault.keep("other", () => bytes("two"))]);
  expect(both.map(text)).toEqual(["one", "one"]);
  const again = await Vault.open({ directory });
  expect(await again.keep("signing", () => bytes("another"))).toEqual(first);
  const path = join(directory, "keys", "signing.sealed");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path).includes(Buffer.from(first))).toBe(false);
  const damaged = readFileSync(path);
  damaged[damaged.length - 1]! ^= 1;
  chmodSync(path, 0o600);
  writeFileSync(path, damaged);
  await expect(again.keep("signing", () => first)).rejects.toMatchObject({ code: "sealed_damaged" });
  await expect(again.keep("../outside", () => first)).rejects.toMatchObject({ code: "bad_request" });
  expect((await again.status([])).places).toEqual([{ name: "keys", boxes: 2, old: 0, damaged: 1 }]);
});

/** Files in memory that fail at the n-th change and at every one after it, as those of a process that died. */
class CrashFiles implements Files {
  readonly content: Map<string, Uint8Array>;
  left: number;
  constructor(content: ReadonlyMap<string, Uint8Array>, left = Number.POSITIVE_INFINITY) {
    this.content = new Map(content);
    this.left = left;
  }
  async read(path: string) {
    return this.content.get(path);
  }
  async list(directory: string) {
    const below = [...this.content.keys()].filter((path) => path.startsWith(`${directory}/`));
    return below.map((path) => path.slice(directory.length + 1)).sort();
  }
  async replace(path: string, all: Uint8Array) {
    this.#step();
    this.content.set(path, all);
  }
  async remove(path: string) {
    this.#step();
    this.content.delete(path);
  }
  #step(): void {
    if (this.left-- <= 0) throw new Error("crashed");
  }
}

test("a rotation may be cut short at any write: everything opens, and the next one finishes it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 2 }), fc.boolean(), async (count, before, given) => {
      const names = Array.from({ length: count }, (_, i) => `secret_${i}`);
      const start = new CrashFiles(new Map());
      const first = await Vault.open({ directory: "/d" }, start);
      for (const name of names) await first.keep(name, () => bytes(name));
      for (let i = 0; i < before; i++) await first.rotate([]);
      const sources = { directory: "/d", ...(given && { secret: "a key of the environment" }) };
      const none = () => {
        throw new Error("there is one already");
      };
      for (let crash = 0, done = false; !done; crash++) {
        const files = new CrashFiles(start.content, crash);
        const rotated = await Vault.open(sources, files)
          .then((vault) => vault.rotate([]))
          .then(
            () => true,
            () => false,
          );
        const after = new CrashFiles(files.content);
        const vault = await Vault.open(sources, after);
        for (const name of names) expect(text(await vault.keep(name, none))).toBe(name);
        await vault.rotate([]);
        const { keys, places } = await vault.status([]);
        expect(places).toEqual([{ name: "keys", boxes: count, old: 0, damaged: 0 }]);
        expect(keys[0]!.boxes).toBe(count);
        for (const name of names) expect(text(await vault.keep(name, none))).toBe(name);
        done = rotated;
        expect(crash).toBeLessThan(50);
      }
    }),
    { numRuns: 20 },
  );
});

test("rotation goes through other places too, drops a key of its own a rotation later, and says what it cannot open", async () => {
  const files = new CrashFiles(new Map());
  const vault = await Vault.open({ directory: "/d" }, files);
  const sealer = vault.sealer("totp");
  const table = new Map([["alice", sealer.seal(bytes("one"), "alice")]]);
  const place = {
    name: "users",
    boxes: async () =>
      [...table].map(([user, box]) => ({
        purpose: "totp",
        place: user,
        bytes: box,
        replace: async (next: Uint8Array) => {
          if (table.get(user) !== box) return false;
          table.set(user, next);
          return true;
        },
      })),
  };
  const old = (await vault.status([place])).keys[0]!.id;
  expect(await vault.rotate([place])).toMatchObject({ resealed: 1, dropped: [] });
  expect(text(sealer.open(table.get("alice")!, "alice"))).toBe("one");
  expect(await vault.rotate([place])).toMatchObject({ resealed: 1, dropped: [old] });
  expect(text(files.content.get("/d/secret.key")!).trim().split("\n")).toHaveLength(2);
  table.set("bob", new KeyRing([root("lost")]).sealer("totp").seal(bytes("two"), "bob"));
  const status = await vault.status([place]);
  expect(status.places).toContainEqual({ name: "users", boxes: 2, old: 1, damaged: 1 });
  expect(status.keys.at(-1)).toMatchObject({ id: root("lost").id, use: "missing", boxes: 1 });
  await expect(vault.rotate([place])).rejects.toMatchObject({ code: "sealed_key_missing" });
  expect(text(sealer.open(table.get("alice")!, "alice"))).toBe("one");
});
