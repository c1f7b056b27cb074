/** The part of a Zeek event that is the same in TSV and JSON. */
import type { Fields } from "@vedette/model";
import type { LogKind } from "./logs.ts";

/** A log's name from outside, where it is fit to become part of field names. */
export const safeLog = (path: unknown): string | undefined =>
  typeof path === "string" && /^[A-Za-z0-9_.-]{1,64}$/.test(path) ? path : undefined;

/** Dataset names of logs, so that events share one string. */
const datasets = new Map<string, string>();

/** Sets what is constant for a log. */
export function startEvent(fields: Fields, log: string, kind: LogKind): void {
  fields["event.kind"] = kind.kind;
  fields["event.category"] = kind.category;
  fields["event.type"] = kind.type;
  fields["event.dataset"] = datasetOf(log);
  fields["event.module"] = "zeek";
  if (kind.protocol !== undefined) fields["network.protocol"] = kind.protocol;
}

function datasetOf(log: string): string {
  let dataset = datasets.get(log);
  if (dataset === undefined) {
    dataset = `zeek.${log}`;
    if (datasets.size < 1_024) datasets.set(log, dataset);
  }
  return dataset;
}
