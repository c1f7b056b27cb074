import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SettingStore } from "@vedette/store";
import { Vault } from "@vedette/vault";
import { afterAll, expect, test } from "vitest";
import { SharedSecrets, secretsOfInstallation } from "./shared_secrets.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-secrets-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const process_ = (secret = "the secret of the installation, long enough") =>
  Vault.open({ directory: join(root, String(folders++)), secret });

function settings(): SettingStore & { readonly all: Map<string, string> } {
  const all = new Map<string, string>();
  return {
    all,
    get: async (name) => all.get(name),
    set: async (name, value) => void (value === undefined ? all.delete(name) : all.set(name, value)),
    add: async (name, value) => {
      if (!all.has(name)) all.set(name, value);
      return all.get(name)!;
    },
    replace: async (name, from, to) => all.get(name) === from && all.set(name, to) === all,
  };
}
let made = 0;
const make = () => Buffer.from(`made ${made++}`);
const text = (secret: Uint8Array) => Buffer.from(secret).toString();

test("processes that begin at once, and one that comes later, have the same secret, sealed where it is shared and kept by each", async () => {
  const shared = settings();
  const vaults = await Promise.all([process_(), process_(), process_()]);
  const [first, second, late] = vaults.map((vault) => new SharedSecrets(vault, shared));
  const [a, b] = await Promise.all([first!.keep("log", make), second!.keep("log", make)]);
  expect(text(a)).toBe(text(b));
  expect(text(await late!.keep("log", make))).toBe(text(a));
  expect([...shared.all.values()].join()).not.toContain(Buffer.from(a).toString("base64"));
  expect(text(await vaults[2]!.keep("log", make))).toBe(text(a));
});

test("what one process had alone becomes everybody's; another SECRET_KEY opens none of it", async () => {
  const shared = settings();
  const vault = await process_();
  const before = await vault.keep("pseudonyms", make);
  expect(text(await new SharedSecrets(vault, shared).keep("pseudonyms", make))).toBe(text(before));
  const stranger = new SharedSecrets(await process_("quite another secret, as long as it has to be"), shared);
  await expect(stranger.keep("pseudonyms", make)).rejects.toMatchObject({ code: "sealed_key_missing" });
});

test("they are sealed anew with everything else; state in the data directory needs none of it", async () => {
  const shared = settings();
  const vault = await Vault.open({ directory: join(root, "rotated") });
  const secrets = secretsOfInstallation(vault, { state: { driver: "postgres" } }, shared);
  const secret = await secrets.keep("log", make);
  const before = shared.all.get("secret.log");
  await vault.rotate("sealed" in secrets ? [secrets.sealed()] : []);
  expect(shared.all.get("secret.log")).not.toBe(before);
  expect(text(await new SharedSecrets(vault, shared).keep("log", make))).toBe(text(secret));
  expect(secretsOfInstallation(vault, { state: { driver: "sqlite" } }, shared)).toBe(vault);
});
