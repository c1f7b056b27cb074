/** A newcomer's first import: recorded logs, cut into files of a day and read side by side, come to what one sorted file comes to. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { memoryLog } from "@vedette/log";
import type { Finding } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { openStore } from "@vedette/store";
import { expect, test } from "vitest";
import { encodeTick } from "./batch.ts";
import { Engine } from "./engine.ts";
import { Intakes } from "./intake/intakes.ts";
import { SeenIds } from "./intake/seen_ids.ts";
import { standing } from "./keyed/runs.fixture.ts";
import { inlinePool } from "./pool.ts";
import { makeProgram } from "./program.ts";

const shared = process.env["VEDETTE_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
const data = join(shared, "data");
const second = 1_000_000;
const begin = Date.UTC(2026, 6, 30) * 1_000;
const program = makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 30 }, 0);

interface Line {
  readonly text: string;
  readonly position: string;
  readonly file: string;
}

/** @param lines in the order in which they are read; a chunk is of one file */
async function judged(chunks: readonly (readonly Line[])[], streamOf: (line: Line) => string) {
  const directory = mkdtempSync(join(tmpdir(), "vedette-import-"));
  const store = await openStore({ directory });
  const log = memoryLog();
  let now = begin;
  const clock = { now: () => now++, sleep: () => new Promise<void>((done) => setImmediate(done)) };
  const known = Promise.resolve();
  const seen = new SeenIds(clock);
  const all = await formats();
  const intakes = new Intakes({ log, clock, formats: all, program: () => program.hash, tenant: "main", counts: new Map(), seen, known });
  const intake = intakes.open({ source: "import" });
  const engine = new Engine({
    log,
    events: store.events,
    checkpoints: store.checkpoints,
    pool: await inlinePool(),
    clock,
    program: () => program,
  });
  const stop = new AbortController();
  await engine.load();
  const running = engine.run(stop.signal);
  const tick = async () => {
    await log.append("raw", 0, encodeTick(now));
    const { end } = await log.bounds("raw", 0);
    for (let turn = 0; engine.offset < end && turn < 1_000_000; turn++) await new Promise((done) => setImmediate(done));
  };
  for (const [i, chunk] of chunks.entries()) {
    const records = chunk.map(({ text, position }) => ({ position, body: Buffer.from(text) }));
    await intake.accept(records, { stream: streamOf(chunk[0]!) });
    now += second / 5;
    if (i % 5 === 4) await tick();
  }
  // enough for everything late to be folded in, and for all to be over
  for (let n = 0; n < 40; n++) {
    now += 60 * second;
    await tick();
  }
  stop.abort();
  await running;
  const findings: Finding[] = [];
  for (const entry of await log.read("findings", 0, 0, 1e9))
    if ("bytes" in entry) findings.push(...(JSON.parse(Buffer.from(entry.bytes).toString()) as { findings: Finding[] }).findings);
  const counts = engine
    .detectors()
    .reduce((sum, d) => ({ late: sum.late + d.late, skipped: sum.skipped + d.skipped }), { late: 0, skipped: 0 });
  await store.close();
  rmSync(directory, { recursive: true });
  return { ...counts, standing: standing(findings) };
}

const linux = join(data, "loghub/Linux.tar.xz");
// 2,000 lines of 44 days in 2005, a file a day
const linesOf = (): readonly Line[] =>
  execFileSync("tar", ["xJOf", linux, "Linux/Linux_2k.log"], { encoding: "utf8", maxBuffer: 1 << 24 })
    .split("\n")
    .filter((text) => text !== "")
    .map((text, n) => ({ text, position: String(n), file: text.slice(0, 6) }));

test.skipIf(!existsSync(linux))(
  "a log of 44 days, a file a day",
  async () => {
    const files = [...Map.groupBy(linesOf(), ({ file }) => file).values()];
    expect(files).toHaveLength(44);
    // sixteen at a time, some lines of each in turn
    const mixed: Line[][] = [];
    const left = files.map((file) => [...file]);
    const open = left.splice(0, 16);
    for (let turn = 0; open.length > 0; turn++) {
      const at = (turn * 7) % open.length;
      mixed.push(open[at]!.splice(0, 20));
      if (open[at]!.length === 0) open.splice(at, 1, ...left.splice(left.length >> 1, 1));
    }
    const one = await judged(files, () => "all");
    const many = await judged(mixed, ({ file }) => file);
    expect(many.standing).toEqual(one.standing);
    expect(many.standing.length).toBeGreaterThan(10);
    expect(many.skipped).toBe(0);
    expect(many.late).toBeGreaterThan(0);
  },
  300_000,
);
