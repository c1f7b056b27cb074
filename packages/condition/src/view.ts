/**
 * What somebody may see of the records there are: rows by conditions, fields by masks. Narrows questions to that, so that a store answers them
 * as if there were nothing else. Knows no person and no store.
 */
import { compile } from "./compile.ts";
import { always, type Condition, never, type Readable } from "./condition.ts";

/** Rows, and the fields that stay masked in them: names, `*` at the end allowed. */
export interface ViewPart {
  readonly rows: Condition;
  readonly masks: readonly string[];
}
/** A record is seen where the rows of some part hold; a field of it where some such part does not mask it. No part: nothing is seen. */
export interface View {
  readonly parts: readonly ViewPart[];
}

/** What stands in place of a value that is not shown. */
export const masked = "(masked)";

/** The record as it came repeats what its fields hold: whoever masks a field masks these too. The original line goes by the first. */
export const wholeText = "event.original";
const copies: ReadonlySet<string> = new Set([wholeText, "message"]);

const holdsAlways = (condition: Condition) => condition.op === "and" && condition.of.length === 0;
const holdsNever = (condition: Condition) => condition.op === "or" && condition.of.length === 0;

function hides({ masks }: ViewPart, field: string): boolean {
  if (masks.length === 0) return false;
  return copies.has(field) || masks.some((mask) => (mask.endsWith("*") ? field.startsWith(mask.slice(0, -1)) : mask === field));
}

function anyOf(conditions: readonly Condition[]): Condition {
  const kept = conditions.filter((one) => !holdsNever(one));
  if (kept.some(holdsAlways)) return always;
  return kept.length === 0 ? never : kept.length === 1 ? kept[0]! : { op: "or", of: kept };
}

/** Holds for the records that are seen. */
export const rowsOf = ({ parts }: View): Condition => anyOf(parts.map((part) => part.rows));

/** Holds for the records, of those that are seen, in which the field is shown. */
export function shownWhere(view: View, field: string): Condition {
  const showing = view.parts.filter((part) => !hides(part, field));
  return showing.length === view.parts.length ? always : anyOf(showing.map((part) => part.rows));
}

/** A masked field has no value that a question could find: it is as if it were absent. */
function guarded(condition: Condition, view: View): Condition {
  switch (condition.op) {
    case "and":
    case "or":
      return { op: condition.op, of: condition.of.map((one) => guarded(one, view)) };
    case "not":
      return { op: "not", of: guarded(condition.of, view) };
    default: {
      const shown = fieldsOf(condition).map((field) => shownWhere(view, field));
      if (shown.every(holdsAlways)) return condition;
      const all: Condition = shown.some(holdsNever) ? never : { op: "and", of: shown };
      const absent = condition.op === "eq" && condition.value === null;
      return absent ? { op: "or", of: [condition, { op: "not", of: all }] } : { op: "and", of: [all, condition] };
    }
  }
}

/** The fields whose values a condition that holds no other looks at; a word is looked for in all of them. */
function fieldsOf(condition: Exclude<Condition, { op: "and" | "or" | "not" }>): readonly string[] {
  if (condition.op === "keyword") return [wholeText];
  return condition.op === "fieldref" ? [condition.field, condition.other] : [condition.field];
}

/** The question as the view's owner may ask it: finds what is seen, by what is shown. */
export function narrowed(where: Condition, view: View): Condition {
  const rows = rowsOf(view);
  const asked = guarded(where, view);
  return holdsAlways(rows) ? asked : holdsAlways(asked) ? rows : { op: "and", of: [rows, asked] };
}

/** Fields that a question names and that are not shown in every record: what the answer should say. */
export function unseenFields(where: Condition, view: View): readonly string[] {
  switch (where.op) {
    case "and":
    case "or":
      return [...new Set(where.of.flatMap((one) => unseenFields(one, view)))];
    case "not":
      return unseenFields(where.of, view);
    default:
      return fieldsOf(where).filter((field) => !holdsAlways(shownWhere(view, field)));
  }
}

/** Tells for a record whether a field of it is shown; undefined where the record is not seen. */
export type Sight = (record: Readable) => ((field: string) => boolean) | undefined;

/** Prepared for many records. Rows that cannot be prepared hold for none. */
export function sightOf({ parts }: View): Sight {
  const tests = parts.flatMap((part) => {
    try {
      return [{ part, test: compile(part.rows) }];
    } catch {
      return [];
    }
  });
  return (record) => {
    const of = tests.filter(({ test }) => test(record));
    return of.length === 0 ? undefined : (field) => of.some(({ part }) => !hides(part, field));
  };
}
