/** The catch-up lane through the engine, over the real event store, and over a restart. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryLog } from "@vedette/log";
import type { Finding } from "@vedette/model";
import { openStore } from "@vedette/store";
import { expect, test } from "vitest";
import { encodeTick } from "./batch.ts";
import { Engine } from "./engine.ts";
import { freshIntakes } from "./intake/intakes.fixture.ts";
import { inlinePool } from "./pool.ts";
import { makeProgram } from "./program.ts";

const second = 1_000_000;
const begin = Date.UTC(2026, 5, 1) * 1_000;
const program = makeProgram({ rules: [], pipelines: [], detectors: { brute_force: { threshold: 3, window_s: 60 } }, lateness_s: 30 }, 0);

/** An engine over the real event store, started anew for each part of the log. */
async function world() {
  const directory = mkdtempSync(join(tmpdir(), "vedette-late-"));
  const store = await openStore({ directory });
  const log = memoryLog();
  let now = begin;
  const clock = { now: () => now++, sleep: () => new Promise<void>((done) => setImmediate(done)) };
  const counts = new Map();
  const intakes = await freshIntakes({ log, clock, program: () => program.hash, counts });
  const intake = intakes.open({ source: "auth", format: "syslog" });
  let position = 0;
  return {
    async at(s: number, lines: readonly string[]) {
      now = Math.max(now, begin + s * second);
      if (lines.length > 0) await intake.accept(lines.map((line) => ({ position: String(position++), body: Buffer.from(line) })));
      await log.append("raw", 0, encodeTick(now));
    },
    setBack(s: number) {
      now = begin + s * second;
    },
    async run() {
      const { end } = await log.bounds("raw", 0);
      const engine = new Engine({
        log,
        events: store.events,
        checkpoints: store.checkpoints,
        pool: await inlinePool(),
        clock,
        program: (h) => (h === program.hash ? program : undefined),
      });
      const stop = new AbortController();
      await engine.load();
      const running = engine.run(stop.signal);
      for (let turn = 0; engine.offset < end && turn < 1_000_000; turn++) await new Promise((done) => setImmediate(done));
      stop.abort();
      await running;
      return engine.detectors().find((d) => d.name === "brute_force")!;
    },
    async found(address: string): Promise<readonly Finding[]> {
      const findings: Finding[] = [];
      for (const entry of await log.read("findings", 0, 0, 1e9))
        if ("bytes" in entry) findings.push(...(JSON.parse(Buffer.from(entry.bytes).toString()) as { findings: Finding[] }).findings);
      return findings.filter((f) => f.entities[0]?.id === address);
    },
    async close() {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

const line = (s: number, host: string, ip: string) =>
  `${new Date(begin / 1_000 + s * 1_000).toISOString()} ${host} sshd[7]: Failed password for root from ${ip} port 5 ssh2`;

test("a third failure that comes ten minutes late is found, marked late, once, also over a restart", async () => {
  const { at, run, found: foundOf, close } = await world();
  await at(0, [line(0, "a", "192.0.2.1"), line(1, "a", "192.0.2.1")]);
  for (let s = 60; s <= 600; s += 60) await at(s, [line(s, "a", `198.51.100.${s / 60}`)]);
  await run();
  await at(610, [line(2, "a", "192.0.2.1")]);
  // stopped before the event has waited for others of its key
  expect(await run()).toMatchObject({ late: 1, caught_up: 0 });
  for (let s = 620; s <= 640; s += 10) await at(s, [line(s, "a", "198.51.100.99")]);
  expect(await run()).toMatchObject({ late: 1, caught_up: 1, skipped: 0 });
  await at(700, []);
  await run();

  const found = await foundOf("192.0.2.1");
  expect(new Set(found.map((f) => f.id)).size).toBe(1);
  expect(found[0]).toMatchObject({ late: true, count: 3, window: { start: begin, end: begin + 2 * second } });
  expect(found.at(-1)).toMatchObject({ late: true, canonical: true });
  await close();
});

test("what comes too late after the clock was set back waits until it is in the store, too", async () => {
  const { at, setBack, run, found, close } = await world();
  await at(0, [line(0, "a", "192.0.2.1"), line(1, "a", "192.0.2.1")]);
  for (let s = 60; s <= 600; s += 60) await at(s, [line(s, "a", `198.51.100.${s / 60}`)]);
  await run();
  setBack(590);
  // read together: by the time the second has come, the first has waited long enough, and is not yet in the store
  await at(590, [line(2, "a", "192.0.2.1")]);
  await at(598, []);
  await run();
  await at(606, []);
  expect(await run()).toMatchObject({ late: 1, caught_up: 1 });
  expect((await found("192.0.2.1")).at(-1)).toMatchObject({ late: true, count: 3 });
  await close();
});
