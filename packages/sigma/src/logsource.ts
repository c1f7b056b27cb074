/** Sigma's logsource: which events a document is about, in Sigma's own words. Knows no events. */
import { Refused } from "./refusal.ts";
import { get, type MapTree } from "./yaml.ts";

/** Pipelines turn it into conditions on fields. */
export interface Logsource {
  readonly category?: string;
  readonly product?: string;
  readonly service?: string;
}

/** A document's logsource, in lower case. Throws `Refused`. */
export function readLogsource(document: MapTree): Logsource {
  const tree = get(document, "logsource");
  if (tree?.kind !== "map")
    throw new Refused(
      tree?.at ?? document.at,
      "logsource",
      "a map of category, product and service",
      "add logsource: {product: linux, service: sshd}",
    );
  const logsource: { category?: string; product?: string; service?: string } = {};
  for (const { key, value } of tree.entries) {
    if (key !== "category" && key !== "product" && key !== "service") continue;
    if (value.kind === "scalar" && value.value === null) continue;
    if (value.kind !== "scalar" || typeof value.value !== "string")
      throw new Refused(value.at, `logsource.${key}`, "text", "write one word");
    logsource[key] = value.value.toLowerCase();
  }
  if (Object.keys(logsource).length === 0)
    throw new Refused(tree.at, "logsource", "category, product or service", "name at least one of the three");
  return logsource;
}

/** In the form in which messages quote it. */
export function wordsOf(logsource: Logsource): string {
  return Object.entries(logsource)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ");
}
