import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditTrail, keyRing, readHeads, trailPaths, verifyChain } from "@vedette/audit";
import { systemClock } from "@vedette/kit";
import { openStore } from "@vedette/store";
import { afterAll, expect, test, vi } from "vitest";
import { configSchema } from "../config/schema.ts";
import { openPeople } from "../people.ts";
import { openVault } from "../vault.ts";
import { resetOffline } from "./user_offline.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-user-offline-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const dataDir = join(root, "data");
const config = configSchema.parse({});

/** What is printed for the person to take, and for whom to read. */
async function reset(name: string, options: { readonly admin?: boolean } = {}): Promise<string> {
  let printed = "";
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      printed += String(text);
      return true;
    }),
    vi.spyOn(process.stderr, "write").mockImplementation(() => true),
  ];
  try {
    await resetOffline(name, { dataDir, ...options });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return printed.trim();
}

/** What the installation holds while nobody has it open. */
async function within<T>(ask: (people: Awaited<ReturnType<typeof openPeople>>, trail: AuditTrail) => Promise<T>): Promise<T> {
  const store = await openStore({ directory: dataDir });
  const vault = await openVault(config, dataDir);
  const trail = await AuditTrail.open({ directory: dataDir, clock: systemClock, secrets: vault, heads: [], onProblem: () => {} });
  try {
    return await ask(await openPeople(config, vault, store), trail);
  } finally {
    await trail.close();
    await store.close();
  }
}

test("the last administrator gets back in on the host of a stopped server, and the trail says so", async () => {
  await expect(reset("ann")).rejects.toThrow("found no state.db in it");
  expect(existsSync(dataDir)).toBe(false);
  await within(async ({ users }) => {
    const { id } = await users.create({ name: "ann", grants: [{ role: "viewer" }] });
    await users.create({ name: "eve", grants: [{ role: "admin" }] });
    await users.change(id, (now) => ({ ...now, disabled: true }));
  });
  await expect(reset("mallory")).rejects.toThrow("there is nobody named mallory; there are ann, eve. --admin makes one");
  const password = await reset("ann", { admin: true });
  expect(password).toMatch(/^[a-z2-7]{5}(-[a-z2-7]+)+$/);
  await within(async ({ signIn }, trail) => {
    const attempt = await signIn.attempt({ name: "ann", password, address: "192.0.2.1" });
    expect(attempt).toMatchObject({ user: { name: "ann", disabled: false, grants: [{ role: "admin" }], password: { mustChange: true } } });
    const resets = (await trail.newest(50)).filter(({ fields }) => fields?.["event.action"] === "user_reset");
    expect(resets.map(({ fields }) => fields?.["event.outcome"])).toEqual(["success", "unknown"]);
    expect(resets[0]!.fields).toMatchObject({
      "user.target.name": "ann",
      "vedette.audit.by": "recovery on the host, without a server",
      "vedette.audit.after": '{"grants":[{"role":"admin"}]}',
    });
    expect(JSON.stringify(resets)).not.toContain(password);
  });
  const { chain, heads, publicKey } = trailPaths(dataDir);
  const told = { directory: chain, heads: readHeads(readFileSync(heads, "utf8")).heads, keys: keyRing([readFileSync(publicKey, "utf8")]) };
  expect((await verifyChain(told)).bad).toBeUndefined();
}, 300_000);
