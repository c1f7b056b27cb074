/**
 * Pass 1: raw batches to events, findings, observations and dead letters. Stateless but for caches: the same bytes and program give the
 * same result on any worker. Knows no thread, log or store driver.
 */
import { compile, never, type Predicate } from "@vedette/condition";
import {
  type CorrelationStage,
  type DetectStage,
  entitiesOf,
  evidenceOf,
  type PreparedDetector,
  prepareCorrelations,
  prepareDetectors,
} from "@vedette/detect";
import { compileEventPipelines, type Draft, type EnrichStage, type EventPipelines, Pseudonyms, prepareEnrichers } from "@vedette/enrich";
import {
  auditTenant,
  canaryTenant,
  type Decode,
  type Decoded,
  type DecodeResult,
  defineCounter,
  defineHistogram,
  type FormatSpec,
  idOf,
  ownerOf,
} from "@vedette/kit";
import type { DeadLetter, Event, Finding, Flaw, Match, Micros } from "@vedette/model";
import { classOf, hostOf } from "@vedette/normalise";
import { compileRules, type Refusal, type RuleSet, type RuleUse, type SigmaRule } from "@vedette/sigma";
import { EventEncoder } from "@vedette/store";
import type { Analysis, Job, SourceDelta } from "./analysis.ts";
import { decodeBatch, type RecordsBatch, type RecordsHeader, type Run } from "./batch.ts";
import { type CanaryRef, reservedPrefix } from "./canary/mark.ts";
import { broughtForward, canaryAnalysis } from "./canary/trace.ts";
import { readWhen } from "./egress/when.ts";
import type { Resources } from "./enrichment/tables.ts";
import { auditSource } from "./intake/audit_feed.ts";
import type { KeyedStep } from "./keyed.ts";
import { type Mark, Marks } from "./marks.ts";
import { summaryOfMatches } from "./match_summary.ts";
import { own, type Program, sameJudges } from "./program.ts";
import { QualityTally } from "./quality/tally.ts";
import { findingsPerBatch } from "./rules/flood.ts";
import { compileWhole, correlationsOf, livingRules, pipelinesOf } from "./rules/living.ts";
import { type Cost, dayOf } from "./rules/trial.ts";
import { Samples } from "./samples.ts";
import { maxAhead } from "./watermarks.ts";

/** Dead letters keep so much of the input (architecture, "Identities and shapes"). */
const maxDeadBytes = 64 * 1024;
const sampleSize = 20;
const same = (tenant: string): string => tenant;
/** Every so many records are timed. */
const timedEvery = 64;
const decodeTook = defineHistogram(
  "format_decode_duration_seconds",
  `Time a format took to decode one record, of every ${timedEvery}th record.`,
  ["format"],
  [1e-6, 5e-6, 2e-5, 1e-4, 1e-3, 1e-2],
);
const decoded = defineCounter(
  "format_records_total",
  "Records by format and whether they could be read; demos, canaries and old logs aside.",
  ["format", "outcome"],
);
/** Days of event time told of one job: a clock that jumps must not make a list of it. */
const maxDays = 8;

/** A program made ready to run. */
export interface Compiled {
  readonly program: Program;
  readonly rules: RuleSet;
  /** Ids of the rules on trial. */
  readonly shadow: ReadonlySet<string>;
  readonly stage: DetectStage;
  readonly enrichment: EnrichStage;
  readonly eventPipelines: EventPipelines;
  readonly correlations: CorrelationStage;
  /** Rules and correlations that are not in it, by name and reason; documents that could not be read are not among them. */
  readonly refused: readonly Refusal[];
  /** Ids of rules whose matches only feed correlations. */
  readonly silent: ReadonlySet<string>;
}

/** What of a program judges events; the rest is done to them before. */
type Judges = Omit<Compiled, "program" | "enrichment" | "eventPipelines">;

/**
 * @param resources where the program's tables are; without them events stay without what they would add
 * @param before whose rules go on where they are the same: an inventory changes every hour, and thousands of rules take seconds to compile
 */
export async function compileProgram(program: Program, resources?: Resources, before?: Compiled): Promise<Compiled> {
  const judges: Judges = before !== undefined && sameJudges(before.program, program) ? before : await compileJudges(program);
  return {
    ...judges,
    program,
    enrichment: await prepareEnrichers(program.enrich ?? {}, (name) => {
      const table = own(program.tables ?? {}, name);
      return table && resources?.table(table.hash);
    }),
    eventPipelines: compileEventPipelines(
      program.event_pipelines ?? [],
      resources?.pseudonymKey && program.pseudonym_key !== undefined ? new Pseudonyms(resources.pseudonymKey) : undefined,
    ),
  };
}

async function compileJudges(program: Program): Promise<Judges> {
  const living = livingRules(program);
  const lateness = program.lateness_s * 1_000_000;
  const linked = correlationsOf(living, program.pipelines);
  const correlations = prepareCorrelations(linked, lateness, living.shadow);
  const stage = await prepareDetectors(program.detectors, lateness);
  const rules = compileWhole(living.rules, { pipelines: pipelinesOf(program.pipelines), filters: living.filters });
  return {
    rules,
    shadow: living.shadow,
    stage: withDetectors(stage, correlations.detectors),
    correlations,
    refused: [...rules.refused, ...linked.refused],
    silent: linked.silent,
  };
}

/** Of programs in use: all shards and partitions of a process fold with the same. */
const keyed = new WeakMap<Program, Promise<DetectStage["detectors"]>>();

/** What pass 2 folds with: the program's detectors and its rules' correlations. */
export function keyedDetectors(program: Program): Promise<DetectStage["detectors"]> {
  let detectors = keyed.get(program);
  if (detectors === undefined) {
    detectors = prepareKeyed(program);
    keyed.set(program, detectors);
  }
  return detectors;
}

async function prepareKeyed(program: Program): Promise<DetectStage["detectors"]> {
  const lateness = program.lateness_s * 1_000_000;
  const living = livingRules(program);
  const linked = correlationsOf(living, program.pipelines);
  const taken = new Set(linked.correlations.flatMap(({ takes }) => takes));
  const pipelines = taken.size === 0 ? [] : pipelinesOf(program.pipelines);
  const rules = compileRules(
    living.rules.filter(({ id }) => taken.has(id)),
    { pipelines, filters: living.filters },
  );
  const correlations = prepareCorrelations(linked, lateness, living.shadow, rules);
  return withDetectors(await prepareDetectors(program.detectors, lateness), correlations.detectors).detectors;
}

function withDetectors(stage: DetectStage, more: readonly PreparedDetector[]): DetectStage {
  return { ...stage, detectors: new Map([...more.map((one) => [one.spec.name, one] as const), ...stage.detectors]) };
}

export class Analyser {
  readonly #formats: ReadonlyMap<string, FormatSpec>;
  readonly #decoders = new Map<string, Decode>();
  /** One for each sink of the configuration. */
  readonly #selections = new Map<string, Predicate>();
  readonly #encoder = new EventEncoder();
  #matched: number[] = [];
  #seen = 0;

  constructor(formats: ReadonlyMap<string, FormatSpec>) {
    this.#formats = formats;
  }

  /** All entries of a job carry the same program. */
  analyse(job: Job, compiled: Compiled): Analysis {
    this.#encoder.clear();
    const out = new Outcome(compiled, job, this.#encoder);
    for (const { offset, bytes } of job.entries) {
      let batch: ReturnType<typeof decodeBatch>;
      try {
        batch = decodeBatch(bytes);
      } catch (e) {
        out.damaged.push({ offset, reason: (e as Error).message });
        continue;
      }
      if ("bodies" in batch) this.#records(batch, compiled, out);
      else {
        out.flushMarks();
        out.quality.turn();
        out.keyed.push({ tick: batch.header.wall });
      }
    }
    out.flushMarks();
    for (const event of job.canary && job.store ? broughtForward(out.events, out.received) : []) this.#encoder.add(event);
    const analysis: Analysis = {
      first: job.entries[0]!.offset,
      last: job.entries.at(-1)!.offset,
      program: compiled.program.hash,
      received: out.received,
      events: this.#encoder.count > 0 ? this.#encoder.done() : undefined,
      findings: out.findings,
      keyed: out.keyed,
      dead: out.dead,
      sources: Object.fromEntries(out.sources),
      rules: out.ruleCounts(),
      capped: Object.fromEntries(out.capped),
      days: [...out.days].sort((a, b) => a - b).slice(-maxDays),
      costs: out.costs(),
      damaged: out.damaged,
      samples: out.samples.done(),
      sample: out.sample,
      ...(out.judged && !job.canary && { quality: out.quality.done() }),
      ...(job.select !== undefined && { selected: out.events.filter(this.#selecting(job.select)) }),
    };
    for (const { format, records, flaws } of (analysis.quality ?? []).flatMap((one) => one?.formats ?? [])) {
      decoded.add(records - flaws, format, "read");
      if (flaws > 0) decoded.add(flaws, format, "flawed");
    }
    return job.canary ? canaryAnalysis(analysis, job.canary, out, compiled.stage.detectors) : analysis;
  }

  #records({ header, bodies }: RecordsBatch, compiled: Compiled, out: Outcome): void {
    const delta = out.source(header.source);
    out.watched = out.judged && !header.demo && !header.historical;
    out.beginBatch();
    delta.in += bodies.length;
    for (const [reason, n] of Object.entries(header.lost ?? {})) {
      delta.in += n;
      delta.dropped[reason] = (delta.dropped[reason] ?? 0) + n;
    }
    out.received = Math.max(out.received, header.received);
    let i = 0;
    for (const run of header.runs) {
      const decode = this.#decoder(header.source, run);
      const context = { preamble: run.preamble, received: header.received, peer: run.peer, source: header.source, stream: run.stream };
      for (const end = i + run.count; i < end; i++) {
        const body = bodies[i]!;
        const known = header.flaws?.[i];
        if (known) {
          out.bury(header, i, body, "ingest", known);
          continue;
        }
        const text = textOf(body);
        let result: DecodeResult;
        const begun = ++this.#seen % timedEvery === 0 ? performance.now() : undefined;
        try {
          result = decode(text, context);
        } catch (e) {
          // a decoder must not throw; if one does, the record is kept and the fault is named
          result = { code: "decoder_fault", expected: `${run.format} failed: ${(e as Error).message}` };
        }
        if (begun !== undefined) decodeTook.observe((performance.now() - begun) / 1_000, run.format);
        if (Array.isArray(result)) {
          if (result.length === 0) delta.dropped["empty"] = (delta.dropped["empty"] ?? 0) + 1;
          else delta.split += result.length - 1;
          for (let k = 0; k < result.length; k++) this.#event(header, run, i, k, result[k] as Decoded, text, compiled, out);
        } else if ("fields" in result) this.#event(header, run, i, -1, result, text, compiled, out);
        else if ("samples" in result) this.#measure(out.samples.take(header, i, result, delta), run, compiled, header.demo, out);
        else if ("skip" in result) delta.dropped[result.skip] = (delta.dropped[result.skip] ?? 0) + 1;
        else out.bury(header, i, body, "decode", result as Flaw);
        if (out.watched) out.quality.record(header.source, run.format, header.received, "code" in result);
      }
    }
  }

  #event(header: RecordsHeader, run: Run, i: number, part: number, decoded: Decoded, text: string, compiled: Compiled, out: Outcome): void {
    const { fields } = decoded;
    const ours = header.source === auditSource;
    const tenant = (out.canary ? canaryTenant : ours ? auditTenant : same)(header.tenant);
    const position = header.positions[i]!;
    const sender = header.ids?.[i];
    const id =
      sender !== undefined
        ? part < 0
          ? idOf(tenant, header.source, "id", sender)
          : idOf(tenant, header.source, "id", sender, part)
        : part < 0
          ? idOf(tenant, header.source, position)
          : idOf(tenant, header.source, position, part);
    fields["vedette.decoder"] = run.format;
    const dataset = fields["event.dataset"];
    // what a client says of itself is not taken for ours
    if (typeof dataset === "string" && dataset.startsWith(reservedPrefix) && !ours && !out.canary)
      fields["event.dataset"] = `client.${dataset}`;
    if (header.demo) fields["vedette.demo"] = true;
    if (header.historical) fields["vedette.historical"] = true;
    if (out.canary) fields["vedette.canary"] = out.canary.rule;
    compiled.enrichment.enrich(fields);
    // a time that a double cannot hold to the microsecond (after the year 2255) names no moment that anyone could search for
    const time = decoded.time !== undefined && Number.isSafeInteger(decoded.time) ? decoded.time : header.received;
    const draft: Draft = { id, time, fields, original: decoded.original ?? text };
    // what people did to this installation is nobody's to leave out
    const dropped = ours ? undefined : compiled.eventPipelines.apply(draft);
    if (dropped !== undefined) {
      const delta = out.source(header.source);
      delta.dropped[dropped] = (delta.dropped[dropped] ?? 0) + 1;
      return;
    }
    const event: Event = {
      id,
      tenant,
      source: header.source,
      time,
      received: header.received,
      seq: header.seq + i,
      class: draft.class ?? classOf(fields),
      host: hostOf(fields, run.peer, header.source),
      fields,
      original: draft.original,
    };
    out.take(event);
    out.days.add(dayOf(event.time));
    out.source(header.source).stored++;
    if (out.watched) out.quality.event(event);
    if (out.judged) this.#match(event, run.stream, compiled, header.demo, out);
    if (decoded.samples && !out.canary) this.#measure(out.samples.take(header, i, decoded), run, compiled, header.demo, out);
  }

  #match(event: Event, stream: string, { rules, stage, shadow, correlations, silent }: Compiled, demo: boolean, out: Outcome): void {
    const matched = this.#matched;
    matched.length = 0;
    rules.match(event, matched);
    for (const index of matched) {
      const rule = rules.rules[index]!;
      if (out.canary) out.matched.add(rule.id);
      if (silent.has(rule.id) || !out.mayTell(rule.id)) continue;
      const matches = rules
        .explain(index, event)
        .map(({ clause, field, value }): Match => ({ clause, field: field === "" ? "any field" : field, value }));
      out.findings.push({
        id: idOf(rule.id, rule.hash, event.id, event.time),
        tenant: event.tenant,
        rule: { id: rule.id, title: rule.title, hash: rule.hash, kind: "sigma" },
        severity: rule.level,
        key: event.id,
        window: { start: event.time, end: event.time },
        time: event.time,
        events: [event.id],
        count: 1,
        entities: entitiesOf(event, entityOf(rule)),
        evidence: [evidenceOf(event, matches)],
        attack: rule.attack,
        summary: summaryOfMatches(rule.title, matches),
        revision: 0,
        canonical: true,
        demo,
        ...(shadow.has(rule.id) ? { shadow: true as const } : {}),
        ...(event.fields["vedette.historical"] === true ? { historical: true as const } : {}),
        received: event.received,
      });
    }
    const mark = out.mark(event, stream);
    for (const o of stage.observe(event, mark[1], demo, stream)) out.keyed.push({ observe: o });
    if (matched.length > 0 && correlations.detectors.length > 0) {
      const ids = matched.map((index) => rules.rules[index]!.id);
      for (const o of correlations.observe(event, ids, mark[1], demo, stream)) out.keyed.push({ observe: o });
    }
    mark[1] = Math.max(mark[1], Math.min(event.time, event.received + maxAhead));
    mark[2] = Math.max(mark[2], event.received);
  }

  /** Samples are no events; detectors that ask for them see them all the same. */
  #measure(samples: Iterable<Event>, run: Run, { stage }: Compiled, demo: boolean, out: Outcome): void {
    for (const one of samples) {
      const mark = out.mark(one, run.stream);
      for (const o of stage.observe(one, mark[1], demo, run.stream)) out.keyed.push({ observe: o });
      mark[1] = Math.max(mark[1], Math.min(one.time, one.received + maxAhead));
      mark[2] = Math.max(mark[2], one.received);
    }
  }

  #selecting(query: string): Predicate {
    let test = this.#selections.get(query);
    if (!test) {
      const read = readWhen(query);
      test = compile("where" in read ? read.where : never);
      this.#selections.set(query, test);
    }
    return test;
  }

  #decoder(source: string, run: Run): Decode {
    const key = `${source}\0${run.stream}\0${run.format}\0${run.config === undefined ? "" : JSON.stringify(run.config)}`;
    let decode = this.#decoders.get(key);
    if (!decode) {
      const spec = this.#formats.get(run.format);
      decode = spec
        ? spec.decoder(spec.config.parse(run.config ?? {}))
        : () => ({ code: "unknown_format", expected: `a format this version knows; the batch names ${run.format}` });
      // streams come and go (rotated files, connections); decoders are cheap to make again
      if (this.#decoders.size >= 1_000) this.#decoders.clear();
      this.#decoders.set(key, decode);
    }
    return decode;
  }
}

function entityOf(rule: SigmaRule): string | undefined {
  const entity = rule.vedette?.["entity"];
  return typeof entity === "string" ? entity : undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** UTF-8 as text; other bytes shown as \xNN, so that the line stays readable and nothing is lost. */
export function textOf(body: Buffer): string {
  const text = body.toString("utf8");
  if (!text.includes("\ufffd")) return text;
  try {
    return decoder.decode(body);
  } catch {
    return body.toString("latin1").replace(/[\x80-\xff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);
  }
}

/** Collects what a job comes to. */
class Outcome {
  /** Those that somebody wants whole, see `take`. */
  readonly events: Event[] = [];
  readonly sample: Event[] = [];
  readonly findings: Finding[] = [];
  readonly keyed: KeyedStep[] = [];
  readonly dead: DeadLetter[] = [];
  readonly samples = new Samples();
  readonly sources = new Map<string, SourceDelta>();
  readonly damaged: { offset: number; reason: string }[] = [];
  readonly capped = new Map<string, number>();
  readonly days = new Set<number>();
  readonly quality = new QualityTally();
  /** Whether the batch at hand tells of how well data comes in. */
  watched = false;
  /** Of a canary: the rules that matched. */
  readonly matched = new Set<string>();
  received: Micros = 0;
  /** Findings of each rule in this raw batch. */
  readonly #told = new Map<string, number>();
  readonly #compiled: Compiled;
  readonly #job: Job;
  readonly #encoder: EventEncoder;
  readonly #live = new Marks();
  readonly #past = new Marks();
  #used: readonly RuleUse[] | undefined;

  constructor(compiled: Compiled, job: Job, encoder: EventEncoder) {
    this.#compiled = compiled;
    this.#job = job;
    this.#encoder = encoder;
    compiled.rules.drain();
  }

  get canary(): CanaryRef | undefined {
    return this.#job.canary;
  }
  /** Whether rules and detectors see the events. */
  get judged(): boolean {
    return this.#job.select === undefined;
  }

  /** Most events become bytes at once and are let go: a whole batch of them would outlive collections. */
  take(event: Event): void {
    const { canary, select, store, sample } = this.#job;
    // a canary's events are brought forward together, once all are there
    if (canary || select !== undefined) this.events.push(event);
    if (store && !canary) this.#encoder.add(event);
    if (sample && ownerOf(event.tenant) === event.tenant) {
      this.sample.push(event);
      if (this.sample.length > sampleSize) this.sample.shift();
    }
  }

  source(name: string): SourceDelta {
    let delta = this.sources.get(name);
    if (!delta) {
      delta = { in: 0, split: 0, stored: 0, dead: 0, dropped: {} };
      this.sources.set(name, delta);
    }
    return delta;
  }

  beginBatch(): void {
    this.#told.clear();
  }
  /** Counts a match of a rule: false when the raw batch has given enough findings of it. */
  mayTell(rule: string): boolean {
    const told = (this.#told.get(rule) ?? 0) + 1;
    if (told > (this.#job.findingsPerRule ?? findingsPerBatch)) {
      this.capped.set(rule, (this.capped.get(rule) ?? 0) + 1);
      return false;
    }
    this.#told.set(rule, told);
    return true;
  }

  bury(header: RecordsHeader, i: number, body: Buffer, stage: DeadLetter["stage"], flaw: Flaw): void {
    this.source(header.source).dead++;
    const bytes = body.subarray(0, maxDeadBytes).toString("base64");
    this.dead.push({
      source: header.source,
      position: header.positions[i]!,
      received: header.received,
      stage,
      code: flaw.code,
      expected: flaw.expected,
      bytes,
    });
  }

  /** The latest clamped time, and the newest receipt, of the event's (source, stream, host) in this job so far. */
  mark(event: Event, stream: string): Mark {
    return (event.fields["vedette.historical"] === true ? this.#past : this.#live).of(event, stream);
  }
  /** Tallies, then marks, go before each tick and at the end, so that ticks see what came before them. */
  flushMarks(): void {
    const { observations, capped } = this.#compiled.stage.flush();
    for (const observe of observations) this.keyed.push({ observe });
    for (const [detector, keys] of capped) this.keyed.push({ capped: { detector, keys } });
    const [live, past] = [this.#live.drain(), this.#past.drain()];
    if (live.length > 0) this.keyed.push({ advance: live });
    if (past.length > 0) this.keyed.push({ advance: past, historical: true });
  }

  costs(): Analysis["costs"] {
    const costs: { [rule: string]: Cost } = {};
    // the estimate of what went before moves too, up or down: only all the differences together are what a rule took
    for (const { rule, evaluated, estimated_ms } of this.#uses())
      if (evaluated > 0) costs[this.#compiled.rules.rules[rule]!.id] = { evaluated, estimated_ms };
    return costs;
  }

  ruleCounts(): Analysis["rules"] {
    const counts: { [rule: string]: readonly [number, number] } = {};
    for (const { rule, seen, matched } of this.#uses()) counts[this.#compiled.rules.rules[rule]!.id] = [seen, matched];
    return counts;
  }

  /** What the rules did in this job. */
  #uses(): readonly RuleUse[] {
    this.#used ??= this.#compiled.rules.drain();
    return this.#used;
  }
}
