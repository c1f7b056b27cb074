/** Everything people do with event pipelines of a running Vedette, in one place. Knows no HTTP. */
import { always } from "@vedette/condition";
import { compileEventPipelines, Pseudonyms, runPipelineCases } from "@vedette/enrich";
import { BadInputError, type Clock, ConfigError, type FormatSpec } from "@vedette/kit";
import type { DataLoss, LedgerLine, PipelineLine, PipelinePreview, Requester } from "@vedette/model";
import { formatRefusal } from "@vedette/sigma";
import type { EventStore } from "@vedette/store";
import type { Control } from "../control.ts";
import type { Program, ProgramFile } from "../program.ts";
import type { Catalogue } from "../rules/catalogue.ts";
import { dataLosses } from "./losses.ts";
import { preview } from "./preview.ts";

export type PipelineParts = Pick<Program, "event_pipelines" | "pseudonym_key">;

export interface PipelineDeskOptions {
  /** The files that the configuration names, as they are on disk now. May throw ConfigError. */
  readonly disk: () => readonly ProgramFile[];
  /** From the installation's secret; without it nothing can be given a pseudonym. */
  readonly pseudonymKey: Uint8Array | undefined;
  readonly control: Control;
  readonly clock: Clock;
  readonly formats: ReadonlyMap<string, FormatSpec>;
  readonly tenant: string;
  readonly events: EventStore;
  /** The rules in force. */
  readonly catalogue: () => Catalogue;
  readonly ledger: () => Promise<readonly LedgerLine[]>;
  readonly adjust: (parts: PipelineParts, who: Requester, subject: string) => Promise<number>;
}

/** What a reload came to: `blocked` says what stands in the way, and the old pipelines go on; empty when it was made. */
export interface PipelinesApplied {
  readonly blocked: readonly string[];
  readonly changed: boolean;
  readonly losses: readonly DataLoss[];
}

const previewed = 1_000;
const allTime = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };

export class PipelineDesk {
  readonly #options: PipelineDeskOptions;
  readonly #pseudonyms: Pseudonyms | undefined;
  #parts: PipelineParts;
  #lost: { readonly key: string; readonly losses: Promise<readonly DataLoss[]> } | undefined;

  /** @throws ConfigError `pipeline_invalid`: what a pipeline was to take away must not get in because the pipeline does not load */
  constructor(options: PipelineDeskOptions) {
    this.#options = options;
    this.#pseudonyms = options.pseudonymKey && new Pseudonyms(options.pseudonymKey);
    const files = options.disk();
    const problems = this.#problems(files);
    if (problems.length > 0) throw new ConfigError("pipeline_invalid", problems.join("\n"));
    this.#parts = this.#partsOf(files);
  }

  /** What a program is made with. */
  get parts(): PipelineParts {
    return this.#parts;
  }

  async lines(): Promise<readonly PipelineLine[]> {
    const files = this.#parts.event_pipelines ?? [];
    const ledger = await this.#options.ledger();
    const dropped = (reason: string) => ledger.reduce((sum, line) => sum + (line.dropped[reason] ?? 0), 0);
    return compileEventPipelines(files, undefined).documents.map(({ name, file, steps }) => {
      const cases = runPipelineCases(files.find((one) => one.file === file)!);
      return {
        name,
        file,
        steps: steps.map((step) => ({ name: step.name, does: step.spec.name, dropped: dropped(`pipeline ${name}: ${step.name}`) })),
        cases: cases.length,
        failing: cases.filter(({ differences }) => differences.length > 0).length,
      };
    });
  }

  /** Rules and detectors that the pipelines in force keep from firing. */
  losses(files: readonly ProgramFile[] = this.#parts.event_pipelines ?? []): Promise<readonly DataLoss[]> {
    const { control, formats, catalogue } = this.#options;
    const { hash, detectors } = control.current!;
    const key = JSON.stringify([hash, files]);
    // going through thousands of rules takes a second, and the same is asked again and again
    if (this.#lost?.key !== key) this.#lost = { key, losses: dataLosses(files, catalogue(), detectors, formats) };
    return this.#lost.losses;
  }

  /** What files would do to the newest stored events, behind what the pipelines in force did to them already. */
  async preview(files: readonly ProgramFile[], signal?: AbortSignal): Promise<PipelinePreview> {
    const { events, tenant } = this.#options;
    const page = await events.search({ tenant, range: allTime, where: always, limit: previewed }, signal);
    return { ...preview(files, page.events, this.#pseudonyms), losses: await this.losses(files) };
  }

  /** Reads the files again. @param yes although rules lose their data */
  async reload(who: Requester, yes = false): Promise<PipelinesApplied> {
    const files = this.#options.disk();
    const parts = this.#partsOf(files);
    if (same(parts.event_pipelines, this.#parts.event_pipelines)) return { blocked: [], changed: false, losses: [] };
    const problems = this.#problems(files);
    if (problems.length > 0) return { blocked: problems, changed: false, losses: [] };
    const before = new Set((await this.losses()).map(({ id }) => id));
    const losses = (await this.losses(files)).filter(({ id }) => !before.has(id));
    if (losses.length > 0 && !yes) return { blocked: [`${toldLosses(losses)} (--yes if that is meant)`], changed: false, losses };
    await this.#options.adjust(
      parts,
      who,
      (parts.event_pipelines ?? [])
        .map(({ file }) => file)
        .join(", ")
        .slice(0, 1_000),
    );
    this.#parts = parts;
    return { blocked: [], changed: true, losses };
  }

  /** The text behind a pseudonym; who asked and why is in the control topic before it is told. @throws BadInputError `not_found`, `conflict` */
  async reveal(pseudonym: string, who: Requester): Promise<string> {
    if (this.#pseudonyms === undefined) throw new BadInputError("conflict", "there is no SECRET_KEY, and so no pseudonym");
    const text = this.#pseudonyms.reveal(pseudonym);
    await this.#options.control.record({
      kind: "reveal",
      version: 1,
      at: this.#options.clock.now(),
      ...who,
      pseudonym: pseudonym.slice(0, 200),
      found: text !== undefined,
    });
    if (text === undefined) throw new BadInputError("not_found", "this installation's key made no such pseudonym");
    return text;
  }

  #problems(files: readonly ProgramFile[]): readonly string[] {
    const { documents, refused } = compileEventPipelines(files, this.#pseudonyms);
    const keyless = documents.flatMap(({ file, steps }) =>
      this.#pseudonyms === undefined
        ? steps
            .filter(({ spec }) => spec.name === "pseudonymise")
            .map(({ line }) => `${file}:${line}: pseudonymise needs a key: set SECRET_KEY`)
        : [],
    );
    const failing = files.flatMap((file) =>
      runPipelineCases(file)
        .filter(({ differences }) => differences.length > 0)
        .map(({ name, line, differences }) => `${file.file}:${line}: case "${name}": ${differences.join("; ")}`),
    );
    return [...refused.map(formatRefusal), ...keyless, ...failing];
  }

  #partsOf(files: readonly ProgramFile[]): PipelineParts {
    if (files.length === 0) return { event_pipelines: [] };
    return {
      event_pipelines: files.map(({ file, text }) => ({ file, text })),
      ...(this.#pseudonyms && { pseudonym_key: this.#pseudonyms.keyId }),
    };
  }
}

const same = (a: PipelineParts["event_pipelines"], b: PipelineParts["event_pipelines"]): boolean =>
  JSON.stringify((a ?? []).map(({ file, text }) => [file, text]).sort()) ===
  JSON.stringify((b ?? []).map(({ file, text }) => [file, text]).sort());

/** `3 rules lose their data: TITLE (pipeline noise: 1 drop), …` */
export function toldLosses(losses: readonly DataLoss[]): string {
  const some = losses.slice(0, 5).map(({ title, how }) => `${title} (${how})`);
  const more = losses.length > some.length ? ` and ${losses.length - some.length} more` : "";
  return `${losses.length} ${losses.length === 1 ? "rule loses its" : "rules lose their"} data: ${some.join(", ")}${more}`;
}
