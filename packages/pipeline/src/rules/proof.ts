/** Whether a rule's own positive case makes it fire, decoder and mapping included. Keeps no record of it and sends nothing anywhere. */
import { type FormatSpec, newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import type { Catalogue } from "./catalogue.ts";

/** A rule's case as it was written: anything may stand in it. */
export interface Case {
  readonly expect?: unknown;
  readonly events?: unknown;
  readonly raw?: unknown;
  readonly format?: unknown;
  readonly stream?: unknown;
  readonly preamble?: unknown;
}
type Seen = { readonly fields: Fields; readonly original: string };

/** Cases are read as they were written: anything may stand in them. */
export function provedByCase(catalogue: Catalogue, formats: ReadonlyMap<string, FormatSpec>): (id: string) => boolean {
  const known = new Map<string, boolean>();
  return (id) => {
    let proved = known.get(id);
    if (proved === undefined) {
      const { rule, number } = catalogue.entries.get(id) ?? {};
      const tests = Array.isArray(rule?.vedette?.tests) ? (rule.vedette.tests as readonly (Case | null)[]) : [];
      proved =
        number !== undefined &&
        tests.some((one) => one?.expect === "match" && eventsOf(one, formats).some((event) => catalogue.set.test(number, event)));
      known.set(id, proved);
    }
    return proved;
  };
}

function eventsOf(one: Case, formats: ReadonlyMap<string, FormatSpec>): Seen[] {
  if (Array.isArray(one.events)) return one.events.map((e) => ({ fields: Object.assign(newFields(), e), original: "" }));
  const spec = formats.get(String(one.format ?? ""));
  if (spec === undefined || typeof one.raw !== "string") return [];
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const decode = spec.decoder(spec.config.parse({}));
  const context = {
    preamble: text(one.preamble),
    received: 1_790_000_000_000_000,
    peer: undefined,
    source: "case",
    stream: text(one.stream) ?? "case",
  };
  return one.raw
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line): Seen[] => {
      const result = decode(line, context);
      const decoded = Array.isArray(result) ? result : "fields" in result ? [result] : [];
      return decoded.map(({ fields }) => ({ fields, original: line }));
    });
}
