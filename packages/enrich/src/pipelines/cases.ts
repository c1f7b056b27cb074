/** Runs the cases that a pipeline carries. Knows how to compare, not how to report. */
import { newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { compileEventPipelines } from "./compile.ts";
import type { PipelineCase, PipelineFile } from "./document.ts";
import type { Draft } from "./draft.ts";
import { Pseudonyms, pseudonymKey } from "./pseudonyms.ts";

export interface CaseResult {
  readonly name: string;
  readonly line: number;
  /** One line a difference; empty: as expected. */
  readonly differences: readonly string[];
}

/** Pseudonyms in cases are made with a key that everybody knows: a case says `pn_*` for one. */
const testKey = pseudonymKey("the cases of event pipelines");

/** The cases of one file, in order; none where it cannot be read. */
export function runPipelineCases(file: PipelineFile): readonly CaseResult[] {
  const { documents, apply } = compileEventPipelines([file], new Pseudonyms(testKey));
  return (documents[0]?.tests ?? []).map((one, i) => ({ name: one.name, line: one.line, differences: differencesOf(one, i, apply) }));
}

function differencesOf(one: PipelineCase, i: number, apply: (draft: Draft) => string | undefined): readonly string[] {
  const draft: Draft = {
    id: `case-${i}`,
    time: 0,
    fields: Object.assign(newFields(), structuredClone(one.fields)),
    original: one.original,
  };
  const dropped = apply(draft);
  if (one.expect === undefined) return dropped === undefined ? ["expected it dropped; it is kept"] : [];
  if (dropped !== undefined) return [`expected it kept; dropped by ${dropped}`];
  const wrong = Object.entries(one.expect).flatMap(([name, wanted]) => different(name, wanted, draft.fields[name]));
  if (one.expectOriginal !== undefined) wrong.push(...different("original", one.expectOriginal, draft.original));
  if (one.expectClass !== undefined) wrong.push(...different("class", one.expectClass, draft.class));
  return wrong;
}

function different(name: string, wanted: Fields[string], found: Fields[string]): string[] {
  if (wanted === null ? found === undefined || found === null : same(wanted, found)) return [];
  return [
    `${name}: expected ${wanted === null ? "nothing" : JSON.stringify(wanted)}, found ${found === undefined ? "nothing" : JSON.stringify(found)}`,
  ];
}

/** `pn_*` stands for any pseudonym. */
function same(wanted: Fields[string], found: Fields[string]): boolean {
  if (typeof wanted === "string" && wanted.includes("pn_*") && typeof found === "string") {
    const parts = wanted.split("pn_*");
    let at = 0;
    for (const [i, part] of parts.entries()) {
      if (!found.startsWith(part, at)) return false;
      at += part.length;
      if (i < parts.length - 1) at += /^pn_[\w-]{22,}/.exec(found.slice(at))?.[0].length ?? Number.NaN;
      if (Number.isNaN(at)) return false;
    }
    return at === found.length;
  }
  if (Array.isArray(wanted) && Array.isArray(found)) return wanted.length === found.length && wanted.every((one, i) => same(one, found[i]));
  return wanted === found;
}
