import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memorySecrets, type Secrets, systemClock } from "@vedette/kit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AuditTrail, keyRing, readHeads, trailPaths, verifyChain } from "./index.ts";

let directory: string;
let secrets: Secrets;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "vedette-audit-"));
  secrets = memorySecrets();
});
afterEach(() => rm(directory, { recursive: true }));

const problems: (string | undefined)[] = [];
const open = (heads: readonly string[] = []) =>
  AuditTrail.open({ directory, clock: systemClock, secrets, heads, onProblem: (_, message) => problems.push(message) });
const login = (user: string) => ({ action: "login", outcome: "success", by: { user, ip: "192.0.2.1" } }) as const;

async function verdict(heads: readonly string[] = []) {
  const paths = trailPaths(directory);
  const told = await Promise.all([paths.heads, ...heads].map(async (path) => readHeads(await readFile(path, "utf8")).heads));
  return verifyChain({ directory: paths.chain, heads: told.flat(), keys: keyRing([await readFile(paths.publicKey, "utf8")]) });
}

describe("the audit trail", () => {
  test("keeps what was recorded over restarts, in one chain that its heads vouch for", async () => {
    const outside = join(directory, "elsewhere", "heads.ndjson");
    for (let start = 0; start < 3; start++) {
      const trail = await open([outside]);
      await Promise.all(Array.from({ length: 50 }, (_, i) => trail.record(login(`user${i}`))));
      await trail.close();
    }
    const trail = await open([outside]);
    const [newest] = await trail.newest(1);
    expect(newest).toMatchObject({ n: 150, fields: { "event.action": "login", "user.name": "user49", "source.ip": "192.0.2.1" } });
    expect((await trail.newest(3, 10)).map(({ n }) => n)).toEqual([9, 8, 7]);
    expect((await trail.since(149, 10)).map(({ n }) => n)).toEqual([149, 150]);
    await trail.close();
    expect(await verdict([outside])).toMatchObject({ records: 151, vouched: 150 });
    expect((await verdict([outside])).bad).toBeUndefined();
  });

  test("gives the same records from memory as from its files", async () => {
    let trail = await open();
    for (let i = 0; i < 30; i++) await trail.record(login(`user${i}`));
    const remembered = await trail.since(0, 100);
    const part = await trail.since(7, 5);
    await trail.close();
    trail = await open();
    expect(remembered).toHaveLength(31);
    expect(await trail.since(0, 100)).toEqual(remembered);
    expect(await trail.since(7, 5)).toEqual(part);
    // over the seam: what is in the files alone, then what is remembered too
    await trail.record(login("late"));
    expect((await trail.since(29, 100)).map(({ n }) => n)).toEqual([29, 30, 31]);
    await trail.close();
  });

  test("seals its key, and takes over one that an earlier version left readable", async () => {
    const { keys, publicKey } = trailPaths(directory);
    await (await open()).close();
    expect(await readdir(keys)).toEqual(["audit.pub.pem"]);
    const [pem, shown] = [Buffer.from(await secrets.keep("audit", () => Buffer.alloc(0))), await readFile(publicKey, "utf8")];
    // as it was: readable beside the chain, and nothing in the vault
    await writeFile(join(keys, "audit.pem"), pem);
    secrets = memorySecrets();
    await (await open()).close();
    expect([await readdir(keys), await readFile(publicKey, "utf8")]).toEqual([["audit.pub.pem"], shown]);
    expect((await verdict()).bad).toBeUndefined();
  });

  test("sets a torn end aside, says so in a record, and goes on", async () => {
    let trail = await open();
    await trail.record(login("alice"));
    await trail.close();
    const [file] = (await readdir(trailPaths(directory).chain)).filter((name) => name.endsWith(".audit"));
    await appendFile(join(trailPaths(directory).chain, file!), '{"n":2,"t":17');
    trail = await open();
    await trail.record(login("bob"));
    const [last, before] = await trail.newest(2);
    expect(last?.fields).toMatchObject({ "user.name": "bob" });
    expect(before?.fields).toMatchObject({ "event.action": "audit_end_set_aside", "vedette.audit.bytes": 14 });
    await trail.close();
    expect((await verdict()).bad).toBeUndefined();
    expect(await readdir(trailPaths(directory).chain)).toContain("torn-0000000000000002");
  });

  test("says at the start that an older copy was put back", async () => {
    const outside = join(directory, "elsewhere", "heads.ndjson");
    let trail = await open([outside]);
    await trail.record(login("alice"));
    await trail.close();
    const [file] = (await readdir(trailPaths(directory).chain)).filter((name) => name.endsWith(".audit"));
    const path = join(trailPaths(directory).chain, file!);
    const old = await readFile(path);
    trail = await open([outside]);
    await trail.record(login("mallory"));
    await trail.close();
    await writeFile(path, old);
    problems.length = 0;
    trail = await open([outside]);
    expect(problems.join()).toContain("1 records that are gone");
    await trail.close();
    expect((await verdict([outside])).bad).toMatchObject({ n: 2, code: "cut_off" });
  });

  test("erases content but not that there was some, and the chain holds", async () => {
    let trail = await open();
    for (let i = 0; i < 20; i++) await trail.record(login(i % 2 === 0 ? "alice" : "bob"));
    const erased = await trail.erase(({ fields }) => fields?.["user.name"] === "alice", { reason: "request 7 of the person", by: "dpo" });
    expect(erased).toBe(10);
    await trail.record(login("carol"));
    await trail.close();
    const text = await readFile(join(trailPaths(directory).chain, "0000000000000000.audit"), "utf8");
    expect(text).not.toContain("alice");
    expect(await verdict()).toMatchObject({ records: 24, erased: 10 });
    expect((await verdict()).bad).toBeUndefined();
    trail = await open();
    expect((await trail.since(1, 1))[0]).toMatchObject({ n: 1, erased: { by: "dpo", reason: "request 7 of the person" } });
    await trail.close();
    // a tombstone without the key's signature is an edit like any other
    await writeFile(join(trailPaths(directory).chain, "0000000000000000.audit"), text.replace("request 7", "request 8"));
    expect((await verdict()).bad).toMatchObject({ n: 1, code: "edited" });
  });

  test("keeps a record within its bound, and says that it was cut", async () => {
    const trail = await open();
    await trail.record({ ...login("alice"), fields: { "vedette.audit.before": "x".repeat(1 << 20) } });
    const [record] = await trail.newest(1);
    expect(String(record?.fields?.["vedette.audit.before"]).length).toBeLessThan(5_000);
    expect(record?.fields?.["vedette.audit.cut"]).toBe(true);
    await trail.close();
  });

  test("refuses what comes after it was closed", async () => {
    const trail = await open();
    await trail.close();
    await expect(trail.record(login("late"))).rejects.toThrow("closing");
  });
});
