/** Files through the real file source, both passes and nothing else: what they come to, as counts. Knows no data set. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { sources } from "@vedette/ingest";
import { type Clock, systemClock } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import type { Event, Finding } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { Analyser, type Analysis, type Compiled, compileProgram, decodeBatch, Intakes, KeyedEngine, makeProgram } from "@vedette/pipeline";
import { bundledPipelines, bundledPlaceholders, bundledRules } from "../../apps/vedette/src/content.ts";
import { SeenIds } from "../../packages/pipeline/src/intake/seen_ids.ts";

/** Everything was received at one moment, so that years that lines leave out are the same on every run. */
const received = Date.UTC(2026, 10, 21, 6) * 1_000;
const still: Clock = { ...systemClock, now: () => received };
const lateness_s = 30;

/** What no format of ours names: its fields are the sender's own words, without number. */
const generic = /^(?:json|ecs|generic|text) /;

export interface Dataset {
  events: number;
  /** Events that carry each field; left out where the names are the sender's. */
  readonly fields: { [field: string]: number };
  /** Over all fields and times of all events in order: any other value gives another. */
  digest: string;
}
export interface Summary {
  records: number;
  split: number;
  stored: number;
  dead: { [code: string]: number };
  dropped: { [reason: string]: number };
  /** Records by the format their stream was taken for. */
  formats: { [format: string]: number };
  late: number;
  /** By `event.dataset / class`. */
  datasets: { [name: string]: Dataset };
}
export interface Result {
  readonly summary: Summary;
  /** Canonical findings of keyed detectors. */
  readonly episodes: readonly Finding[];
  /** Findings of rules. */
  readonly matches: readonly Finding[];
}

let prepared: Promise<Compiled> | undefined;
/** The bundled rules and field mappings, compiled once a process. */
export const bundled = (): Promise<Compiled> => {
  prepared ??= compileProgram(
    makeProgram(
      { rules: bundledRules(), pipelines: bundledPipelines(), placeholders: bundledPlaceholders(), detectors: {}, lateness_s },
      0,
    ),
  );
  return prepared;
};

/** Each file is a source of its own with its own watermarks, read to its end before the next: the order on disk decides nothing. */
export async function replay(paths: readonly string[], program = bundled()): Promise<Result> {
  const tally = new Tally();
  const compiled = watched(await program, tally);
  const known = await formats();
  const analyser = new Analyser(known);
  for (const path of paths) {
    const keyed = new KeyedEngine(compiled.stage.detectors);
    for (const bytes of await rawBatches(path)) {
      tally.batch(bytes);
      const job = { entries: [{ offset: 0, bytes }], sample: false, store: false, findingsPerRule: Number.POSITIVE_INFINITY };
      const analysis = analyser.analyse(job, compiled);
      tally.add(analysis);
      fold(keyed, analysis);
    }
    tally.episodes.push(...keyed.finalise(Number.POSITIVE_INFINITY));
    tally.summary.late += keyed.counts.late;
  }
  return tally.result();
}

function fold(keyed: KeyedEngine, analysis: Analysis): void {
  for (const step of analysis.keyed) {
    if ("observe" in step) keyed.observe(step.observe);
    else if ("advance" in step) for (const [from, time, at] of step.advance) keyed.watermarks.advance(from, time, at);
  }
}

async function rawBatches(path: string): Promise<Uint8Array[]> {
  const log = memoryLog();
  const intakes = new Intakes({
    log,
    clock: still,
    formats: await formats(),
    program: () => "",
    tenant: "main",
    counts: new Map(),
    seen: new SeenIds(still),
    known: Promise.resolve(),
  });
  const spec = (await sources()).get("file")!;
  const source = basename(path).replace(/(?:\.log|\.json)?(?:\.gz)?$/, "");
  await spec.run({
    name: source,
    config: spec.config.parse({ paths: [path], follow: false }),
    intake: intakes.open({ source }),
    positions: new Map(),
    clock: systemClock,
    warn: (code, message) => {
      throw new Error(`${path}: ${code}: ${message}`);
    },
    signal: new AbortController().signal,
  });
  await intakes.settled();
  const batches: Uint8Array[] = [];
  for (let next = 0; ; ) {
    const entries = await log.read("raw", 0, next, 16_777_216);
    if (entries.length === 0) break;
    for (const entry of entries) if ("bytes" in entry) batches.push(entry.bytes);
    next = entries.at(-1)!.offset + 1;
  }
  await log.close();
  return batches;
}

/** The detectors' stage sees every event: the one place to look at them without a store. */
function watched(compiled: Compiled, tally: Tally): Compiled {
  const { stage } = compiled;
  return {
    ...compiled,
    stage: {
      ...stage,
      observe: (event, seen, demo) => {
        tally.event(event);
        return stage.observe(event, seen, demo);
      },
    },
  };
}

class Tally {
  readonly summary: Summary = { records: 0, split: 0, stored: 0, dead: {}, dropped: {}, formats: {}, late: 0, datasets: {} };
  readonly episodes: Finding[] = [];
  readonly #matches: Finding[] = [];
  readonly #hashes = new Map<string, ReturnType<typeof createHash>>();

  batch(bytes: Uint8Array): void {
    const batch = decodeBatch(bytes);
    if ("bodies" in batch) for (const run of batch.header.runs) count(this.summary.formats, run.format, run.count);
  }

  event(event: Event): void {
    const name = `${event.fields["event.dataset"] ?? "(none)"} / ${event.class}`;
    this.summary.datasets[name] ??= { events: 0, fields: {}, digest: "" };
    const dataset = this.summary.datasets[name];
    dataset.events++;
    if (!generic.test(name)) for (const field in event.fields) count(dataset.fields, field, 1);
    let hash = this.#hashes.get(name);
    if (!hash) {
      hash = createHash("sha256");
      this.#hashes.set(name, hash);
    }
    // the decoder's name is how it was read, not what it says: twins in other formats give the same digest
    const fields = Object.keys(event.fields)
      .filter((f) => f !== "vedette.decoder")
      .sort();
    hash.update(JSON.stringify([event.time, event.host, fields.map((f) => [f, event.fields[f]])]));
  }

  add(analysis: Analysis): void {
    const { summary } = this;
    for (const delta of Object.values(analysis.sources)) {
      summary.records += delta.in;
      summary.split += delta.split;
      summary.stored += delta.stored;
      for (const [reason, n] of Object.entries(delta.dropped)) count(summary.dropped, reason, n);
    }
    for (const letter of analysis.dead) count(summary.dead, `${letter.stage}/${letter.code}`, 1);
    this.#matches.push(...analysis.findings);
  }

  result(): Result {
    for (const [name, hash] of this.#hashes) this.summary.datasets[name]!.digest = hash.digest("hex").slice(0, 16);
    return { summary: this.summary, episodes: this.episodes, matches: this.#matches };
  }
}

function count(counts: { [name: string]: number }, name: string, n: number): void {
  counts[name] = (counts[name] ?? 0) + n;
}
