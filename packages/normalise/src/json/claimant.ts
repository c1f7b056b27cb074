/** Finds the format that claims a JSON document. Knows formats only by their claims, and by the names they say their documents have. */
import type { DecodeContext, FormatSpec, JsonKind, JsonObject } from "@vedette/kit";
import { loadedFormats } from "../registry.ts";

/** Claims from this certainty on count (see `JsonKind.claims`). */
const claim = 0.5;

/** A format that may be asked, with its place among all of them: of equal claims the first counts. */
interface Candidate {
  readonly kind: JsonKind;
  readonly rank: number;
  /** The document it was asked about last. */
  asked: number;
}

let known: ReadonlyMap<string, FormatSpec> | undefined;
/** Whom to ask about a document that has a top-level member of that name. */
let byName = new Map<string, Candidate[]>();
/** Those that tell no names. */
let always: Candidate[] = [];

function learn(formats: ReadonlyMap<string, FormatSpec>): void {
  known = formats;
  byName = new Map();
  always = [];
  [...formats.values()].forEach(({ json }, rank) => {
    if (json === undefined) return;
    const candidate = { kind: json, rank, asked: 0 };
    if (json.anyOf === undefined) always.push(candidate);
    for (const name of json.anyOf ?? []) {
      for (const spelt of new Set([name, name.toLowerCase()])) byName.set(spelt, [...(byName.get(spelt) ?? []), candidate]);
    }
  });
}

let document = 0;
let best: Candidate | undefined;
let sure = 0;

function ask(candidate: Candidate, object: JsonObject, context: DecodeContext): void {
  candidate.asked = document;
  const certainty = candidate.kind.claims(object, context);
  if (certainty < claim || certainty < sure || (certainty === sure && best !== undefined && best.rank < candidate.rank)) return;
  best = candidate;
  sure = certainty;
}

/** The format of the highest claim; undefined where nobody claims the document. Asking every format costs several times what parsing does. */
export function claimantOf(object: JsonObject, context: DecodeContext): JsonKind | undefined {
  const formats = loadedFormats();
  if (formats !== known) learn(formats);
  document++;
  best = undefined;
  sure = 0;
  for (const candidate of always) ask(candidate, object, context);
  for (const name in object) {
    const candidates = byName.get(name);
    if (candidates === undefined) continue;
    for (const candidate of candidates) if (candidate.asked !== document) ask(candidate, object, context);
  }
  return (best as Candidate | undefined)?.kind;
}
