/** Pipelines made ready: what each does to an event, in order. Knows no YAML. */
import type { Predicate } from "@vedette/condition";
import type { Refusal } from "@vedette/sigma";
import { type PipelineDocument, type PipelineFile, parseEventPipeline } from "./document.ts";
import type { Draft } from "./draft.ts";
import { predicateOf } from "./predicate.ts";
import type { Pseudonyms } from "./pseudonyms.ts";
import type { Apply, StepContext } from "./step.ts";

export interface EventPipelines {
  readonly documents: readonly PipelineDocument[];
  readonly refused: readonly Refusal[];
  /** Changes the event; the loss ledger's reason where it is dropped. */
  apply(draft: Draft): string | undefined;
}

interface ReadyStep {
  readonly when: Predicate | undefined;
  readonly apply: Apply;
  readonly reason: string;
}
interface Ready {
  readonly when: Predicate | undefined;
  readonly steps: readonly ReadyStep[];
}

/** Files in the order of their names, as they take effect. A file that cannot be read is refused and left out. */
export function compileEventPipelines(
  files: readonly PipelineFile[],
  pseudonyms: Pseudonyms | undefined,
  { worst = false }: Pick<StepContext, "worst"> = {},
): EventPipelines {
  const documents: PipelineDocument[] = [];
  const refused: Refusal[] = [];
  for (const file of [...files].sort((a, b) => (a.file < b.file ? -1 : 1))) {
    const parsed = parseEventPipeline(file);
    const twin = "steps" in parsed ? documents.find(({ name }) => name === parsed.name) : undefined;
    if (!("steps" in parsed)) refused.push(parsed);
    else if (twin) refused.push(named(parsed, twin));
    else documents.push(parsed);
  }
  return { documents, refused, apply: applier(documents, { pseudonyms, worst }) };
}

function applier(documents: readonly PipelineDocument[], context: StepContext): (draft: Draft) => string | undefined {
  const ready = documents.map(
    ({ name, when, steps }): Ready => ({
      when: when && predicateOf(when),
      steps: steps.map((step) => ({
        when: step.when && predicateOf(step.when),
        apply: step.spec.make(step.settings, context),
        reason: `pipeline ${name}: ${step.name}`,
      })),
    }),
  );
  return (draft) => {
    for (const { when, steps } of ready) {
      if (when !== undefined && !when(draft)) continue;
      for (const step of steps) if ((step.when === undefined || step.when(draft)) && !step.apply(draft)) return step.reason;
    }
    return undefined;
  };
}

function named({ file, name }: PipelineDocument, twin: PipelineDocument): Refusal {
  const construct = `name ${name}`;
  const expected = `a name that ${twin.file} does not have`;
  const suggestion = "losses are counted by it; give each pipeline its own";
  return {
    file,
    line: 1,
    column: 1,
    title: "event pipeline",
    construct,
    expected,
    suggestion,
    message: `${construct}: expected ${expected}; ${suggestion}`,
  };
}
