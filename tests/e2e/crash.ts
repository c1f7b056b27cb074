/** kill -9 under load: what was acknowledged is there once, nothing is there twice, and alerts are as if nothing had happened. */
import { setTimeout as pause } from "node:timers/promises";
import { Chance } from "@vedette/kit";
import { expect } from "vitest";
import { settledLedger, Vedette } from "./vedette.ts";

const line = (n: number) =>
  `Nov 21 06:00:00 node1 sshd[7]: Failed password for root from 198.51.100.${n % 3} port ${(n % 60_000) + 1} ssh2`;

/** One bulk request of documents with ids of their own; resolves to how many were acknowledged. */
async function send(v: Vedette, from: number, count: number): Promise<boolean> {
  const body = Array.from(
    { length: count },
    (_, i) =>
      `{"create":{"_id":"d${from + i}"}}\n${JSON.stringify({ "@timestamp": "2026-11-21T06:00:00Z", message: line(from + i), n: from + i, "log.file.path": "/var/log/auth.log" })}\n`,
  ).join("");
  try {
    const response = await v.fetch("/load/_bulk", { method: "POST", body, headers: { "content-type": "application/x-ndjson" } });
    if (!response.ok) return false;
    const { items } = (await response.json()) as { items: { create: { status: number } }[] };
    return items.length === count && items.every((i) => i.create.status === 201 || i.create.status === 409);
  } catch {
    return false; // it died under us: not acknowledged, so the sender sends it again
  }
}

/** Runs `kills` kills from one seed over one data directory and checks at the end. */
export async function crashRun(seed: number, kills: number): Promise<void> {
  const v = new Vedette();
  // a failing run can be run again
  const chance = new Chance(seed);
  let acknowledged = 0;
  try {
    await v.start("--no-demo");
    for (let k = 0; k <= kills; k++) {
      const dead = k < kills ? pause(Math.floor(chance.next() * 600)).then(() => v.kill()) : undefined;
      const rounds = k < kills ? Number.POSITIVE_INFINITY : 10;
      for (let round = 0; round < rounds; round++) {
        const count = 1 + Math.floor(chance.next() * 200);
        if (await send(v, acknowledged, count)) acknowledged += count;
        else break;
      }
      if (dead) {
        await dead;
        await v.start("--no-demo");
      }
    }
    await check(v, acknowledged);
  } catch (e) {
    throw new Error(`seed ${seed}: ${(e as Error).message}\n${v.output.slice(-2_000)}`, { cause: e });
  } finally {
    await v.remove();
  }
}

async function check(v: Vedette, acknowledged: number): Promise<void> {
  const ledger = await settledLedger(v);
  const events = await v.events<{ id: string; original: string }>("");
  const counts = new Map<number, number>();
  for (const e of events) {
    const n = (JSON.parse(e.original) as { n: number }).n;
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  const missing = Array.from({ length: acknowledged }, (_, n) => n).filter((n) => !counts.has(n));
  const twice = [...counts].filter(([, c]) => c > 1).map(([n]) => n);
  expect({ missing: missing.slice(0, 5), twice: twice.slice(0, 5) }).toEqual({ missing: [], twice: [] });
  for (const s of ledger) expect(s.balance, s.name).toBe(0);
  expect(ledger.reduce((n, s) => n + s.stored, 0)).toBe(events.length);
  const { alerts } = await v.get<{ alerts: { rule: { id: string }; entities: { id: string }[] }[] }>("/api/v1/alerts?limit=1000");
  const guessing = alerts.filter((a) => a.rule.id === "brute_force").map((a) => a.entities[0]!.id);
  expect(guessing.sort()).toEqual(acknowledged >= 100 ? ["198.51.100.0", "198.51.100.1", "198.51.100.2"] : expect.anything());
}
