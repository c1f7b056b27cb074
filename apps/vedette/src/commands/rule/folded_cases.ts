/** Runs cases through both passes, as a scan judges files: of detectors, and of correlations that take what detectors find. */
import type { DetectorSpec } from "@vedette/kit";
import type { Finding, Micros } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { type Compiled, compileProgram, makeProgram, type ProgramFile } from "@vedette/pipeline";
import type { Site } from "../../config/site.ts";
import { bundledPipelines } from "../../content.ts";
import { Judge } from "../../scan/judge.ts";
import type { Case } from "./schema.ts";

/** In what events come that have no line of their own: already in ECS. */
const eventFormat = "ecs_json";
const second: Micros = 1_000_000;

export class FoldedCases {
  readonly #compiled: Promise<Compiled>;

  /** @param detectors their settings; one that is not among them has its defaults */
  constructor(rules: readonly ProgramFile[], { placeholders, detectors }: Site) {
    this.#compiled = compileProgram(makeProgram({ rules, pipelines: bundledPipelines(), detectors, lateness_s: 30, placeholders }, 0));
  }

  /** What the case's records come to, or why they cannot be read. */
  async findings(one: Case, received: Micros): Promise<readonly Finding[] | string> {
    const known = await formats();
    const format = one.format ?? eventFormat;
    if (!known.has(format)) return `unknown format "${format}"; known: ${[...known.keys()].sort().join(", ")}`;
    const judge = new Judge(await this.#compiled, known, { threads: 1, received });
    const stream = one.stream ?? "case";
    const records = bodiesOf(one, received).map((body, i) => ({ position: String(i), body: Buffer.from(body) }));
    const found: Finding[] = [];
    let dead = "";
    await judge.take({ file: stream, first: 0, format, preamble: one.preamble, records }, (judged) => {
      found.push(...judged.findings);
      const [flaw] = judged.dead;
      if (flaw !== undefined) dead = `line does not decode as ${format}: ${flaw.code}, expected ${flaw.expected}`;
    });
    found.push(...(await judge.end()));
    return dead || found.filter(({ withdrawn }) => !withdrawn);
  }
}

/** Events that tell no time follow one another second by second. */
function bodiesOf(one: Case, received: Micros): readonly string[] {
  if (one.raw !== undefined) return one.raw.split("\n").filter((line) => line.trim() !== "");
  return one.events!.map((event, i) => JSON.stringify({ "@timestamp": new Date((received + i * second) / 1_000).toISOString(), ...event }));
}

/** Settings of one detector over what the site has for it. */
export function settingsOf(spec: DetectorSpec, own: object, { detectors }: Site): { readonly config: object } | { readonly flaw: string } {
  const site = detectors[spec.name];
  const config = { ...(typeof site === "object" ? site : {}), ...own };
  const read = spec.config.safeParse(config);
  if (read.success) return { config };
  const [issue] = read.error.issues;
  return { flaw: `config${issue!.path.map((p) => `.${String(p)}`).join("")}: ${issue!.message}` };
}
