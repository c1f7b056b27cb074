/** Chooses the format a stream speaks from its first records. */
import type { FormatSpec } from "@vedette/kit";
import { looksLikeObject } from "./json/parse.ts";

/** Formats claim from this certainty on (see `FormatSpec.detect`). */
const claim = 0.5;
/** As many records as `FormatSpec.detect` is promised at most. */
const sampleSize = 32;

/**
 * The name of the format to decode this stream with: the highest `detect` of 0.5 and more, ties by name, else `text`.
 * A stream of JSON documents always gets `json`, which decides document by document: one HTTP stream may carry several kinds, whatever its first records are.
 */
export function detectFormat(
  formats: ReadonlyMap<string, FormatSpec>,
  sample: readonly string[],
  preamble: string | undefined,
  stream: string,
): string {
  const seen = sample.filter((line) => line.trim() !== "").slice(0, sampleSize);
  if (seen.length > 0 && formats.has("json") && seen.every(looksLikeObject)) return "json";
  let best = "text";
  let sure = 0;
  for (const [name, format] of formats) {
    const certainty = format.detect(seen, preamble, stream);
    if (certainty >= claim && (certainty > sure || (certainty === sure && name < best))) {
      best = name;
      sure = certainty;
    }
  }
  return best;
}

/** The share of lines that fulfil `test`; 0 for none: what most `detect` functions return, scaled by how telling the test is. */
export function share(sample: readonly string[], test: (line: string) => boolean): number {
  if (sample.length === 0) return 0;
  let hits = 0;
  for (const line of sample) if (test(line)) hits++;
  return hits / sample.length;
}
