/** Keys at rest of a running Vedette: batches go on being accepted and read while the keys of vault and log change, and after a kill. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inside } from "./inside.ts";
import { settledLedger, Vedette } from "./vedette.ts";

interface VaultStatus {
  readonly keys: readonly { readonly id: string; readonly use: string }[];
  readonly log: readonly { readonly id: string; readonly use: string; readonly needed_by?: readonly string[] }[];
}

const v = new Vedette("log: { encryption: on }\n");
afterAll(() => v.remove());

const send = async (name: string) => {
  const body = Array.from({ length: 50 }, (_, n) => JSON.stringify({ message: `secret word ${n}`, user: { name } })).join("\n");
  const response = await v.fetch("/ingest/web", { method: "POST", body: `${body}\n` });
  expect(await response.json()).toMatchObject({ accepted: 50 });
};
const stored = (name: string) =>
  v.until(
    () => v.get<{ total: number }>(`/api/v1/events/histogram?q=${encodeURIComponent(`user.name:${name}`)}`),
    ({ total }) => total === 50,
  );
const status = () => v.get<VaultStatus>("/api/v1/vault");
const segments = () => {
  const folder = join(v.data, "log/raw/0");
  const names = readdirSync(folder).filter((name) => name.endsWith(".seg"));
  return names.map((name) => readFileSync(join(folder, name)));
};

test("vault rotate begins segments under a new key of the log; all is read, also after a kill in between", {
  timeout: 300_000,
}, async () => {
  await v.start("--no-demo");
  await send("before");
  const [first] = (await status()).log;
  expect(first!.use).toBe("seals");
  const rotating = inside("vault", "rotate", "--url", v.url, "--data-dir", v.data);
  await Promise.all([rotating, send("while")]);
  expect((await rotating).stdout).toMatch(/Batches of the log are sealed by their own new key [0-9a-f]{16}/);
  await send("after");
  const { log } = await status();
  expect(log.map(({ use }) => use)).toEqual(["seals", "opens"]);
  expect(log[1]).toMatchObject({ id: first!.id, needed_by: expect.arrayContaining(["raw/0"]) });
  const sealed = segments();
  expect(sealed.some((bytes) => bytes.includes("secret word"))).toBe(false);
  const [newest, older] = log.map(({ id }) => Buffer.from(id, "hex"));
  expect(sealed.at(-1)!.includes(newest!)).toBe(true);
  expect(sealed.at(-1)!.includes(older!)).toBe(false);
  await v.kill();
  await v.start("--no-demo");
  for (const name of ["before", "while", "after"]) await stored(name);
  await settledLedger(v);
  expect((await status()).log.map(({ id }) => id)).toEqual(log.map(({ id }) => id));
  const shown = await inside("vault", "status", "--url", v.url, "--data-dir", v.data);
  expect(shown.stderr).toContain(`log key ${first!.id}: opens`);
});
