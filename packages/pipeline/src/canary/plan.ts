/**
 * Makes the records that should make a rule fire: its own positive case as it comes over the wire, or as an event, or an event made up from its
 * conditions. What it proposes fires here, decoder and mapping included. Sends nothing anywhere.
 */
import type { FormatSpec } from "@vedette/kit";
import type { Fields, Micros, ProofKind } from "@vedette/model";
import { synthesise } from "@vedette/sigma";
import { Analyser, type Compiled, compileProgram } from "../analyse.ts";
import type { CanaryTrace } from "../analysis.ts";
import { encodeRecords } from "../batch.ts";
import type { Program } from "../program.ts";
import { correlationsOf, livingRules } from "../rules/living.ts";
import type { Case } from "../rules/proof.ts";

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

export class CanaryPlanner {
  readonly #formats: ReadonlyMap<string, FormatSpec>;
  readonly #analyser: Analyser;
  /** Correlations need the rules that they are about, wherever those are. */
  #whole: { readonly program: Program; readonly compiled: Promise<Compiled> } | undefined;

  constructor(formats: ReadonlyMap<string, FormatSpec>) {
    this.#formats = formats;
    this.#analyser = new Analyser(formats);
  }

  /** Rules and correlations in force, those that only feed others left out. */
  provable(program: Program): readonly Provable[] {
    const living = livingRules(program);
    const { silent } = correlationsOf(living, program.pipelines);
    return [...living.rules, ...living.correlations]
      .filter(({ id }) => !silent.has(id))
      .map(({ id, title, hash }) => ({ id, title, hash, shadow: living.shadow.has(id) }));
  }

  async plan(id: string, program: Program): Promise<Canary | Unprovable> {
    const { rules, correlations } = livingRules(program);
    const rule = rules.find((one) => one.id === id);
    const document = rule ?? correlations.find((one) => one.id === id);
    if (document === undefined) return { unprovable: "it is not in force" };
    const compiled = rule
      ? await compileProgram({ ...program, rules: program.rules.filter(({ file }) => file === rule.file) })
      : await this.#all(program);
    const refusal = compiled.refused.find((one) => one.id === id);
    if (refusal) return { unprovable: refusal.message };
    const reasons: string[] = [];
    for (const proposal of this.#cases(document.vedette?.tests, reasons)) {
      const tried = this.#try(id, proposal, compiled);
      if (typeof tried !== "string") return tried;
      reasons.push(tried);
    }
    const number = compiled.rules.rules.findIndex((one) => one.id === id);
    if (number < 0) return { unprovable: reasons[0] ?? "a correlation is proved by a case of its own; it has none that expects a match" };
    for (const fields of synthesise(compiled.rules.conditionOf(number))) {
      const tried = this.#try(id, { how: "synthesised", format: eventFormat, stream: "", bodies: [documentOf(fields)] }, compiled);
      if (typeof tried !== "string") return tried;
      reasons.push(tried);
    }
    return { unprovable: reasons[0] ?? "no event could be made up that it matches" };
  }

  #all(program: Program): Promise<Compiled> {
    if (this.#whole?.program !== program) this.#whole = { program, compiled: compileProgram(program) };
    return this.#whole.compiled;
  }

  /** Its positive cases: those of raw lines first, for they prove the decoder too. */
  #cases(tests: unknown, reasons: string[]): readonly Proposal[] {
    const cases = (Array.isArray(tests) ? tests : []).filter((one: Case | null): one is Case => one?.expect === "match");
    const wire = cases.flatMap((one): Proposal[] => {
      if (typeof one.raw !== "string") return [];
      const format = String(one.format ?? "");
      if (!this.#formats.has(format)) {
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

  #run(rule: string, { format, stream, preamble, bodies }: Proposal, compiled: Compiled): { readonly trace: CanaryTrace } {
    const bytes = encodeRecords(
      {
        kind: "records",
        version: 1,
        program: compiled.program.hash,
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
    const analysis = this.#analyser.analyse(
      { entries: [{ offset: 0, bytes }], sample: false, store: false, canary: { rule, nonce: "" } },
      compiled,
    );
    return { trace: analysis.canary! };
  }
}

/** An event as a shipper would send it; by the version it is known for ECS, and the decoder drops it. */
function documentOf(fields: Readonly<Fields>): string {
  return JSON.stringify({ "@timestamp": new Date(received / 1_000).toISOString(), "ecs.version": "8.17.0", ...fields });
}
