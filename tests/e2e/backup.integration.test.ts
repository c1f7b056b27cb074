/** A running Vedette is backed up, dies, and comes back elsewhere: with its alerts at once, and its events while it runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Repository, Restore } from "@vedette/backup";
import { Vault } from "@vedette/vault";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backupKeys } from "../../apps/vedette/src/backup.ts";
import { Vedette } from "./vedette.ts";

/** Over a sealed segment's 32,768 rows, so that some are in Parquet and some are not. */
const count = 36_000;

let first: Vedette;
let second: Vedette;
beforeAll(() => {
  first = new Vedette();
  second = new Vedette();
});
afterAll(async () => {
  await first?.remove();
  await second?.remove();
});

interface Usage {
  readonly events: number;
  readonly restoring?: { readonly events: number };
  readonly disk: { readonly sealed_bytes: number };
}
const usage = (of: Vedette) => of.get<Usage>("/api/v1/status");
/** Of the source `web`: Vedette's own events go on in both. */
const counted = async (of: Vedette): Promise<number> => {
  const query = new URLSearchParams({ q: "event.dataset:web | stats count" });
  return Number((await of.get<{ rows: unknown[][] }>(`/api/v1/query?${query}`)).rows[0]?.[0]);
};
const alerts = async (of: Vedette) =>
  (await of.get<{ alerts: { id: string }[] }>("/api/v1/alerts?limit=1000")).alerts.map(({ id }) => id).sort();

async function post(of: Vedette, path: string, body: string, type: string): Promise<void> {
  const answer = await of.fetch(path, { method: "POST", body, headers: { "content-type": type } });
  expect([path, answer.status, answer.ok ? "" : await answer.text()]).toEqual([path, answer.status, ""]);
}

async function program(...words: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "../../apps/vedette/src/main.ts"), ...words]);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text) => {
      output += text;
    });
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

test("what was backed up while it ran comes back on an empty host: alerts at once, events while it runs", async () => {
  await first.start("--no-demo");
  const line = (i: number) => `{"event.dataset":"web","url.path":"/${i}","message":"m${i}"}\n`;
  for (let from = 0; from < count; from += 6_000)
    await post(first, "/ingest/web", Array.from({ length: 6_000 }, (_, i) => line(from + i)).join(""), "application/x-ndjson");
  const failed = (i: number) => `Nov 21 08:00:${10 + i} login sshd[9${i}]: Failed password for root from 203.0.113.9 port 4${i} ssh2\n`;
  await post(first, "/ingest/ssh", Array.from({ length: 40 }, (_, i) => failed(i)).join(""), "text/plain");
  await first.until(
    () => usage(first),
    ({ disk }) => disk.sealed_bytes > 0,
  );
  await first.until(
    () => counted(first),
    (events) => events === count,
  );
  await first.until(
    () => alerts(first),
    (ids) => ids.length > 0,
  );
  const to = join(first.directory, "backup");
  mkdirSync(to);
  await post(first, "/api/v1/backup", JSON.stringify({ to }), "application/json");
  const made = await first.until(
    () => first.get<{ running: boolean; last?: { id: string }; failure?: { message: string } }>("/api/v1/backup"),
    ({ running }) => !running,
  );
  expect(made.failure).toBeUndefined();
  const known = await alerts(first);
  await first.kill();

  // as `vedette restore` does it, stopped between its two parts
  const key = join(first.directory, "kept.key");
  copyFileSync(join(first.data, "secret.key"), key);
  const refused = await program("restore", "--from", to, "--data-dir", first.data, "--key-file", key);
  expect([refused.code, refused.output]).toEqual([2, expect.stringContaining("not empty")]);
  const vault = await Vault.open({ directory: first.directory, file: key });
  const repository = await Repository.open(to, await backupKeys(vault, undefined));
  const restore = new Restore(repository, await repository.manifest(made.last!.id), second.data, true);
  expect(await restore.first()).toEqual([]);
  copyFileSync(key, join(second.data, "secret.key"));
  await second.start("--no-demo");
  expect(await alerts(second)).toEqual(known);
  const { restoring } = await usage(second);
  expect(restoring?.events).toBeGreaterThan(30_000);
  const page = await second.get<{ restoring?: object }>("/api/v1/events?limit=1");
  expect(page.restoring).toBeDefined();
  // what is cut short here goes on by the command
  const rest = await program("restore", "--from", to, "--data-dir", second.data, "--key-file", key);
  expect([rest.code, rest.output]).toEqual([0, expect.stringContaining("is back")]);
  await second.until(
    () => counted(second),
    (events) => events === count,
  );
  expect((await usage(second)).restoring).toBeUndefined();
  const verified = await program("verify", "--data-dir", second.data);
  expect([verified.code, verified.output]).toEqual([0, expect.stringContaining("Good")]);
  await post(second, "/ingest/web", line(count), "application/x-ndjson");
  await second.until(
    () => counted(second),
    (events) => events === count + 1,
  );
  // two starts, 36,000 events and three commands: seconds on a quiet machine, minutes on one that twenty processes share
}, 300_000);
