/** What users tell a detector to watch: which events, whose, and which values. Shared by the detectors that learn what is usual. Knows none of them. */
import { compile, type Predicate, parseQuery } from "@vedette/condition";
import { contentHash, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { textField } from "./episode.ts";

/** At most so many values are combined: more are nearly always new. */
const maxFields = 3;
export const fieldList = z.array(z.string().min(1).max(128)).min(1).max(maxFields);

/** Members that every kind of watch has. */
export const watchMembers = {
  name: z
    .string()
    .regex(/^[a-z0-9_]{1,64}$/)
    .describe("Short name, part of the findings' identity: small letters, digits and _."),
  title: z
    .string()
    .min(1)
    .max(120)
    .describe("What the finding says: reads after the entity, as in `ada logged in to a host for the first time`."),
  where: z
    .string()
    .superRefine((text, context) => {
      const parsed = parseQuery(text);
      if (!parsed.ok) context.addIssue({ code: "custom", message: `${parsed.message} (at character ${parsed.position + 1} of "${text}")` });
    })
    .describe("Which events, in the query language."),
  severity: z.enum(["informational", "low", "medium", "high"]).default("low").describe("Severity of the findings."),
  attack: z
    .array(z.string().regex(/^T\d{4}(\.\d{3})?$/))
    .max(8)
    .default([])
    .describe("ATT&CK techniques of the findings."),
};
interface Watched {
  readonly name: string;
  readonly where: string;
}

const compiled = new Map<string, Predicate>();

/** Whether an event is one that the watch looks at. Compiled queries are remembered; their number is bounded by the settings. */
export function concerns(watch: Watched, fields: Fields): boolean {
  let test = compiled.get(watch.where);
  if (!test) {
    const parsed = parseQuery(watch.where);
    test = parsed.ok ? compile(parsed.query.where) : () => false;
    if (compiled.size < 1_024) compiled.set(watch.where, test);
  }
  return test({ fields });
}

/** The watch whose key it is: the part before the first NUL. */
export function watchOf<W extends Watched>(watches: readonly W[], key: string): W | undefined {
  const name = key.slice(0, key.indexOf("\0"));
  return watches.find((w) => w.name === name);
}

/** The values of some fields as one text; undefined where any is missing. */
export function combined(fields: Fields, names: readonly string[]): string | undefined {
  const values: string[] = [];
  for (const name of names) {
    const value = textField(fields, name);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values.join(separator);
}
const separator = "\u001f";
export const shown = (values: string): string => values.split(separator).join(" · ");

export const entitiesOf = (names: readonly string[], values: string): { type: string; id: string }[] =>
  values.split(separator).map((id, n) => ({ type: names[n]!, id }));

/** Sorted union of texts; the first `most` by alphabet stay, so that the order of merging decides nothing. */
export function mergeTexts(a: readonly string[], b: readonly string[], most: number): readonly string[] {
  if (b.length === 1 && a.includes(b[0]!)) return a;
  return [...new Set([...a, ...b])].sort().slice(0, most);
}

/** What stands for a value in a state: 66 bits of its SHA-256, because a value may be long and is chosen by whoever wants to be overlooked. */
export const markOf = (value: string): string => contentHash(value).slice(0, 11);

/** Every name once. */
export const distinctNames = <W extends Watched>(watches: readonly W[]): boolean =>
  new Set(watches.map((w) => w.name)).size === watches.length;
