/** Which detectors an event concerns: what they ask is sorted by the kind of event asked for, so that most is never asked. Knows no detector. */
import { type Condition, compile, FoldMemo, foldCase, type Predicate } from "@vedette/condition";
import type { Event, Fields } from "@vedette/model";

/** Fields that say what kind of event it is: nearly every detector names one, and they have few values. */
const telling = ["event.dataset", "event.category", "event.module", "event.action"] as const;
/** Kinds of events remembered; more are hostile and looked up anew. */
const maxKinds = 1_000;

interface Question<T> {
  readonly concerns: Predicate;
  /** Field NUL value, one of which an event must have; undefined: it may be any event. */
  readonly kinds: readonly string[] | undefined;
  readonly who: T[];
}

/** Conditions with whom they concern; the same condition is put once. */
export class Questions<T> {
  readonly #all: readonly Question<T>[];
  readonly #byKind = new Map<string, readonly Question<T>[]>();

  constructor(all: readonly { readonly where: Condition; readonly who: T }[]) {
    const memo = new FoldMemo();
    const questions = new Map<string, Question<T>>();
    for (const { where, who } of all) {
      const text = JSON.stringify(where);
      const known = questions.get(text);
      if (known) known.who.push(who);
      else questions.set(text, { concerns: compile(where, { memo }), kinds: kindsOf(where), who: [who] });
    }
    this.#all = [...questions.values()];
  }

  /** Calls `take` for everybody whom the event concerns. */
  ask(event: Event, take: (who: T) => void): void {
    for (const { concerns, who } of this.#candidates(event.fields)) if (concerns(event)) for (const one of who) take(one);
  }

  #candidates(fields: Fields): readonly Question<T>[] {
    let kind = "";
    for (const field of telling) {
      const value = fields[field];
      // the list of a and b is another kind than the text "a,b"
      kind += typeof value === "string" ? `"${value}\0` : value === undefined ? "\0" : `${JSON.stringify(value)}\0`;
    }
    const known = this.#byKind.get(kind);
    if (known) return known;
    const has = new Set(telling.flatMap((field) => [fields[field] ?? []].flat().map((value) => kindOf(field, value))));
    const found = this.#all.filter(({ kinds }) => kinds === undefined || kinds.some((one) => has.has(one)));
    if (this.#byKind.size < maxKinds) this.#byKind.set(kind, found);
    return found;
  }
}

// case is no matter here: the condition itself decides, this only must not leave out what it would take
const kindOf = (field: string, value: unknown): string => `${field}\0${foldCase(String(value))}`;

/** Kinds of events that can satisfy the condition; undefined where it may be any. */
function kindsOf(where: Condition): readonly string[] | undefined {
  if (where.op === "eq")
    return (telling as readonly string[]).includes(where.field) && where.value !== null ? [kindOf(where.field, where.value)] : undefined;
  if (where.op !== "and" && where.op !== "or") return undefined;
  const parts = where.of.map(kindsOf);
  if (where.op === "or") return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
  return parts.reduce((a, b) => (a === undefined || (b !== undefined && b.length < a.length) ? b : a), undefined);
}
