/** What benchmarks over a simulated cluster share: its inventory, its records as intake would have taken them in, and both passes and triage over them in one process. */
import { detectors } from "@vedette/detect";
import type { Alert, Finding } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { Analyser, type Compiled, compileProgram, encodeRecords, KeyedEngine, makeProgram } from "@vedette/pipeline";
import type { Claim, Emitted, Simulation } from "@vedette/simulate";
import { foldFinding, groupOf } from "@vedette/triage";
import { bundledPipelines, bundledPlaceholders, bundledRules } from "../../apps/vedette/src/content.ts";

/** What a record takes from being written to being received. */
const underway = 1_000_000;
/** Ticks and checkpoints of a live program are each second's: over simulated days fewer come to the same. */
const tick = 30_000_000;
const checkpoint = 20 * 60_000_000;
/** By the first part of a stream's name. */
const formatOf: { readonly [stream: string]: string } = {
  zeek: "zeek",
  tetragon: "tetragon",
  slurm: "slurm_job",
  auth: "syslog",
  metrics: "prometheus",
};

/** The site's inventory, as an administrator would export it: which address is which node. */
function inventory({ world: { site } }: Simulation): Buffer {
  const rows = [...site.compute, ...site.gpu].map(({ name, address }) => `${name},${address},${name},${site.cluster}`);
  return Buffer.from(`host,ip,node,cluster\n${rows.join("\n")}\n`);
}

/** The first part of a stream's name: what kind of record it has. */
const kindOf = (stream: string): string => stream.split("/")[0]!;

/** A batch of the raw topic with the records of one stream, of which the first has this number. */
function rawBatch(stream: string, format: string, own: readonly Pick<Emitted, "time" | "line">[], seq: number): Uint8Array {
  return encodeRecords(
    {
      kind: "records",
      version: 1,
      program: "",
      tenant: "main",
      source: stream,
      received: own.at(-1)!.time + underway,
      demo: false,
      seq,
      runs: [{ stream, format, count: own.length }],
      positions: own.map((_, i) => `${stream} ${seq + i}`),
    },
    own.map(({ line }) => Buffer.from(line)),
  );
}

export interface Judged {
  /** Of the bundled rules those that are on. */
  readonly rules?: (text: string) => boolean;
  readonly detectors?: { readonly [name: string]: unknown };
  /** Kinds of streams that are left out. */
  readonly without?: readonly string[];
  /** How many summaries of each rule are kept. */
  readonly samples?: number | undefined;
}

/** Some of the bundled rules, over single records of one stream after the other. */
export class RuleJudge {
  readonly #analyser: Analyser;
  readonly #compiled: Compiled;
  #seq = 0;

  static async of(rules: (text: string) => boolean): Promise<RuleJudge> {
    const none = Object.fromEntries([...(await detectors()).keys()].map((name) => [name, false]));
    const content = {
      rules: bundledRules().filter(({ text }) => rules(text)),
      pipelines: bundledPipelines(),
      placeholders: bundledPlaceholders(),
      detectors: none,
    };
    return new RuleJudge(new Analyser(await formats()), await compileProgram(makeProgram({ ...content, lateness_s: 30 }, 0)));
  }

  private constructor(analyser: Analyser, compiled: Compiled) {
    this.#analyser = analyser;
    this.#compiled = compiled;
  }

  take(stream: string, lines: readonly string[]): readonly Finding[] {
    const bytes = rawBatch(
      stream,
      formatOf[kindOf(stream)]!,
      lines.map((line) => ({ time: 0, line })),
      this.#seq,
    );
    this.#seq += lines.length;
    return this.#analyser.analyse({ entries: [{ offset: 0, bytes }], sample: false, store: false }, this.#compiled).findings;
  }
}

/** The bundled rules and all detectors, or fewer, over what a simulation emits. */
export class Judge {
  records = 0;
  dead = 0;
  /** The first summaries of each rule, so that one sees what it is about. */
  readonly samples = new Map<string, { readonly summaries: string[] }>();
  readonly #analyser: Analyser;
  readonly #compiled: Compiled;
  readonly #keyed: KeyedEngine;
  readonly #without: readonly string[];
  readonly #samples: number;
  readonly #seqs = new Map<string, number>();
  #ticked = 0;
  #drained = 0;
  readonly #findings = new Map<string, Finding>();
  readonly #alerts = new Map<string, Alert>();

  static async of(simulation: Simulation, { rules = () => true, detectors = {}, without = [], samples = 8 }: Judged = {}): Promise<Judge> {
    const table = inventory(simulation);
    const ref = { hash: "nodes", bytes: table.length, rows: 0, at: 0, by: "bench" };
    const content = {
      rules: bundledRules().filter(({ text }) => rules(text)),
      pipelines: bundledPipelines(),
      placeholders: bundledPlaceholders(),
      detectors,
    };
    const program = makeProgram({ ...content, lateness_s: 30, enrich: { assets: {}, job: {} }, tables: { assets: ref } }, 0);
    return new Judge(new Analyser(await formats()), await compileProgram(program, { table: () => table }), without, samples);
  }

  private constructor(analyser: Analyser, compiled: Compiled, without: readonly string[], samples: number) {
    this.#analyser = analyser;
    this.#compiled = compiled;
    this.#without = without;
    this.#samples = samples;
    this.#keyed = new KeyedEngine(new Map([...compiled.stage.detectors]), undefined, { keys: 1_000_000, bytes: 1 << 30 });
  }

  take(some: readonly Emitted[]): void {
    for (const [stream, own] of Map.groupBy(some, (one) => one.stream)) {
      const kind = kindOf(stream);
      const format = formatOf[kind];
      if (format === undefined || this.#without.includes(kind)) continue;
      const at = this.#seqs.get(stream) ?? 0;
      const bytes = rawBatch(stream, format, own, at);
      this.records += own.length;
      this.#seqs.set(stream, at + own.length);
      for (const [i, { incident }] of own.entries()) incident?.wrote(stream, at + i);
      const { keyed, findings, dead } = this.#analyser.analyse(
        { entries: [{ offset: 0, bytes }], sample: false, store: false },
        this.#compiled,
      );
      this.dead += dead.length;
      for (const one of findings) this.#found(one);
      for (const one of this.#keyed.take(keyed)) this.#found(one);
    }
    const { time } = some.at(-1)!;
    if (time - this.#ticked < tick) return;
    this.#ticked = time;
    for (const one of this.#keyed.take([{ tick: time }])) this.#found(one);
    if (time - this.#drained < checkpoint) return;
    this.#drained = time;
    // what a checkpoint would take: here nothing is kept
    this.#keyed.drain();
  }

  end(): void {
    for (const one of this.#keyed.take([{ tick: Number.POSITIVE_INFINITY }])) this.#found(one);
  }

  #found(finding: Finding): void {
    const before = this.#findings.get(finding.id);
    this.#findings.set(finding.id, finding);
    const { id } = finding.rule;
    const known = this.samples.get(id) ?? { summaries: [] };
    this.samples.set(id, known);
    if (before === undefined && known.summaries.length < this.#samples) known.summaries.push(finding.summary);
    const group = groupOf(finding);
    const alert = this.#alerts.get(group);
    this.#alerts.set(group, foldFinding(alert, finding, before && { revision: before.revision, events: before.count }, finding.received));
  }

  findings(): readonly Claim[] {
    const standing = [...this.#findings.values()].filter(({ withdrawn }) => !withdrawn);
    return standing.map((one) => claimOf(one, one.window.start, one.window.end));
  }

  /** As triage would have opened them, none being closed by anybody. */
  alerts(): readonly Claim[] {
    const standing = [...this.#alerts.values()].filter(({ retracted }) => retracted === undefined);
    return standing.map((one) => claimOf(one, one.first_seen, one.last_seen));
  }
}

/** A record's stream and number stand for the file and line that a scan would name. */
function claimOf({ rule, severity, entities, evidence }: Finding | Alert, first: number, last: number): Claim {
  const [from] = evidence;
  return {
    rule: rule.id,
    title: rule.title,
    severity,
    first: first / 1_000,
    last: last / 1_000,
    entities,
    ...(from !== undefined && { file: from.source, record: from.seq }),
  };
}
