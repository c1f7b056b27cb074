/**
 * Makes the records that should make a rule fire: its own positive case as it comes over the wire, or as an event, or an event made up from its
 * conditions. What it proposes fires here, decoder and mapping included. Sends nothing anywhere.
 */
import type { FormatSpec } from "@vedette/kit";
import type { Fields, Micros, ProofKind } from "@vedette/model";
import { applyFilters, type Correlation, synthesise } from "@vedette/sigma";
import { Analyser, type Compiled, compileProgram } from "../analyse.ts";
import type { CanaryTrace } from "../analysis.ts";
import { encodeRecords } from "../batch.ts";
import type { Program } from "../program.ts";
import { correlationsOf, filesOf, livingRules, restingOn } from "../rules/living.ts";
import { madeUpSeries } from "./series.ts";

export interface Canary {
  readonly how: ProofKind;
  readonly format: string;
  readonly stream: string;
  readonly preamble?: string;
  readonly bodies: readonly string[];
  /** The events that they became here. */
  readonly events: readonly Fields[];
}
export type Unprovable = { readonly unprovable: string };
type Proposal = Omit<Canary, "events">;

/** A rule's case as it was written: anything may stand in it. */
interface Case {
  readonly expect?: unknown;
  readonly events?: unknown;
  readonly raw?: unknown;
  readonly format?: unknown;
  readonly stream?: unknown;
  readonly preamble?: unknown;
}

/** A rule that can be proved. */
export interface Provable {
  readonly id: string;
  readonly title: string;
  readonly hash: string;
  readonly shadow: boolean;
}

/** The format in which a shipper sends events that are in ECS already. */
const eventFormat = "ecs_json";
const maxBodies = 64;
const maxBody = 65_536;
/** A fixed moment, for lines that tell no year. */
const received: Micros = 1_790_000_000_000_000;
const second: Micros = 1_000_000;

export class CanaryPlanner {
  readonly #formats: ReadonlyMap<string, FormatSpec>;
  readonly #analyser: Analyser;

  #known: ReturnType<typeof knownOf> | undefined;

  constructor(formats: ReadonlyMap<string, FormatSpec>) {
    this.#formats = formats;
    this.#analyser = new Analyser(formats);
  }

  /** Rules and correlations in force with the hash of all that decides their findings, those that only feed others left out. */
  provable(program: Program): readonly Provable[] {
    const living = livingRules(program);
    const { silent, correlations } = correlationsOf(living, program.pipelines);
    const { rules } = applyFilters(living.rules, living.filters);
    return [...rules, ...correlations.map(({ rule, hash }) => ({ ...rule, hash }))]
      .filter(({ id }) => !silent.has(id))
      .map(({ id, title, hash }) => ({ id, title, hash, shadow: living.shadow.has(id) }));
  }

  async plan(id: string, whole: Program): Promise<Canary | Unprovable> {
    if (this.#known?.whole !== whole) this.#known = knownOf(whole);
    const { program, documents, linked } = this.#known;
    const document = documents.get(id);
    if (document === undefined) return { unprovable: "it is not in force" };
    const compiled = await compileProgram({ ...program, rules: filesOf(new Set([id, ...restingOn(linked)(id)]), program) });
    const refusal = compiled.refused.find((one) => one.id === id);
    if (refusal) return { unprovable: refusal.message };
    const reasons: string[] = [];
    const proposals = casesOf(document.vedette?.tests, this.#formats, reasons);
    const correlation = linked.correlations.find((one) => one.rule.id === id);
    const made = correlation === undefined ? madeUp(id, compiled) : madeUpOf(correlation, compiled);
    const found = this.#first(id, proposals, compiled, reasons) ?? this.#first(id, made, compiled, reasons);
    if (found !== undefined) return found;
    // a case that only the filters keep from firing goes out and is lost: that tells that they are too wide
    const plain = await compileProgram({ ...program, rules: program.rules.filter(({ file }) => file === document.file) });
    const filtered = proposals.length > 0 && plain.rules.hash !== compiled.rules.hash && this.#first(id, proposals, plain, []);
    return filtered || { unprovable: reasons[0] ?? "it has no case that expects a match, and no event could be made up that it matches" };
  }

  #first(id: string, proposals: Iterable<Proposal>, compiled: Compiled, reasons: string[]): Canary | undefined {
    for (const proposal of proposals) {
      const tried = this.#try(id, proposal, compiled);
      if (typeof tried !== "string") return tried;
      reasons.push(tried);
    }
    return undefined;
  }

  /** Why it does not fire, else the canary. */
  #try(rule: string, proposal: Proposal, compiled: Compiled): Canary | string {
    if (proposal.bodies.length > maxBodies || proposal.bodies.some((body) => body.length > maxBody))
      return `its case is longer than ${maxBodies} records of ${maxBody} characters`;
    const { trace } = this.#run(rule, proposal, compiled);
    if (trace.found) return { ...proposal, events: trace.events };
    if (trace.flaw) return `its case does not decode as ${proposal.format}: ${trace.flaw.code}, expected ${trace.flaw.expected}`;
    const what = proposal.how === "synthesised" ? "an event made up from its conditions" : "its case";
    return trace.events.length === 0 ? `${what} becomes no event` : `${what} does not match as ${proposal.format} brings it`;
  }

  #run(rule: string, proposal: Proposal, compiled: Compiled): { readonly trace: CanaryTrace } {
    const bytes = batchOf(proposal, compiled.program.hash);
    const analysis = this.#analyser.analyse(
      { entries: [{ offset: 0, bytes }], sample: false, store: false, canary: { rule, nonce: "" } },
      compiled,
    );
    return { trace: analysis.canary! };
  }
}

/** A rule's positive cases: those of raw lines first, for they prove the decoder too. */
export function casesOf(tests: unknown, formats: ReadonlyMap<string, FormatSpec>, reasons: string[]): readonly Proposal[] {
  const cases = (Array.isArray(tests) ? tests : []).filter((one: Case | null): one is Case => one?.expect === "match");
  const wire = cases.flatMap((one): Proposal[] => {
    if (typeof one.raw !== "string") return [];
    const format = String(one.format ?? "");
    if (!formats.has(format)) {
      reasons.push(`its case names an unknown format ${format.slice(0, 50)}`);
      return [];
    }
    const bodies = one.raw.split("\n").filter((line) => line.trim() !== "");
    const preamble = typeof one.preamble === "string" ? { preamble: one.preamble } : {};
    return [{ how: "wire", format, stream: typeof one.stream === "string" ? one.stream : "", ...preamble, bodies }];
  });
  const events = cases.flatMap((one): Proposal[] => {
    if (!Array.isArray(one.events)) return [];
    const known = one.events.filter((event) => typeof event === "object" && event !== null);
    const own = known.flatMap((event) => Object.keys(event)).find((name) => name.startsWith("vedette."));
    if (own !== undefined) {
      reasons.push(`its case has ${own}, which nobody but Vedette can set: what takes events in strips it`);
      return [];
    }
    return [{ how: "event", format: eventFormat, stream: "", bodies: known.map((event) => documentOf(event as Fields)) }];
  });
  return [...wire, ...events];
}

/** A raw batch of the records. */
export function batchOf({ format, stream, preamble, bodies }: Proposal, program: string): Uint8Array {
  return encodeRecords(
    {
      kind: "records",
      version: 1,
      program,
      tenant: "main",
      source: "canary",
      received,
      demo: false,
      seq: 0,
      runs: [{ stream, format, count: bodies.length, ...(preamble === undefined ? {} : { preamble }) }],
      positions: bodies.map((_, i) => String(i)),
    },
    bodies.map((body) => Buffer.from(body)),
  );
}

/** What all rules of a program are planned with. */
function knownOf(whole: Program) {
  // a case that only a pipeline keeps from firing goes out and is lost: that tells what the pipeline takes
  const program = { ...whole, event_pipelines: [] };
  const living = livingRules(program);
  const documents = new Map([...living.rules, ...living.correlations].map((one) => [one.id, one]));
  return { whole, program, documents, linked: correlationsOf(living, program.pipelines) };
}

/** Records made up from a rule's conditions. */
function* madeUp(id: string, { rules }: Compiled): Generator<Proposal> {
  const number = rules.rules.findIndex((one) => one.id === id);
  if (number < 0) return;
  for (const fields of synthesise(rules.conditionOf(number)))
    yield { how: "synthesised", format: eventFormat, stream: "", bodies: [documentOf(fields)] };
}

function* madeUpOf(correlation: Correlation, { rules }: Compiled): Generator<Proposal> {
  const series = madeUpSeries(correlation, rules);
  if (series === undefined) return;
  const bodies = series.map((fields, n) => documentOf(fields, received + n * second));
  yield { how: "synthesised", format: eventFormat, stream: "", bodies };
}

/** An event as a shipper would send it; by the version it is known for ECS, and the decoder drops it. */
function documentOf(fields: Readonly<Fields>, at = received): string {
  return JSON.stringify({ "@timestamp": new Date(at / 1_000).toISOString(), "ecs.version": "8.17.0", ...fields });
}
