/** A sender that hears no answer sends again: what it sent is there once. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { settledLedger, Vedette } from "./vedette.ts";

const v = new Vedette();
beforeAll(() => v.start("--no-demo"), 60_000);
afterAll(() => v.remove());

test("a request with an idempotency key counts once", { timeout: 60_000 }, async () => {
  const post = async () =>
    (await (
      await v.fetch("/ingest/once", { method: "POST", body: '{"n":1}\n{"n":2}\n', headers: { "idempotency-key": "k1" } })
    ).json()) as object;
  expect(await post()).toEqual({ accepted: 2, dead: 0, duplicates: 0 });
  expect(await post()).toEqual({ accepted: 0, dead: 0, duplicates: 2 });
});

test("a bulk request without ids that is sent again is a repeat, item by item", { timeout: 60_000 }, async () => {
  const post = async () => {
    const response = await v.fetch("/logs/_bulk", {
      method: "POST",
      body: '{"index":{}}\n{"m":1}\n{"index":{}}\n{"m":2}\n',
      headers: { "content-type": "application/x-ndjson" },
    });
    return ((await response.json()) as { items: { index: { status: number } }[] }).items.map((i) => i.index.status);
  };
  expect(await post()).toEqual([201, 201]);
  expect(await post()).toEqual([409, 409]);
  const ledger = await settledLedger(v);
  expect(ledger.reduce((n, s) => n + s.stored, 0)).toBe(4);
  expect(await v.events("")).toHaveLength(4);
});
