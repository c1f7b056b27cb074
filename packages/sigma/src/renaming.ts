/** What a list of a pipeline's transformations makes of fields and comparisons: other names, other values, none. Knows no rule. */
import { appliesToField, appliesToItem, type Item, looksAtValues, transformed } from "./items.ts";
import type { Transformation } from "./pipeline.ts";

/** A field's names so far, and which transformations took part. */
interface Renamed {
  readonly names: readonly string[];
  readonly applied: ReadonlySet<string>;
  readonly dropped: boolean;
}

export class Renaming {
  readonly #steps: readonly Transformation[];
  readonly #fields = new Map<string, Renamed>();
  /** Names of fields at whose values no step looks. */
  readonly #plain = new Map<string, readonly string[] | undefined>();

  constructor(steps: readonly Transformation[]) {
    this.#steps = steps;
  }

  /** The names of a rule's field in the events; none where it is dropped. */
  of(field: string): readonly string[] {
    const { names, dropped } = this.#renamed(field);
    return dropped ? [] : names;
  }

  /** As `of`, but a dropped field keeps its name. */
  orItself(field: string): readonly string[] {
    return this.#renamed(field).names;
  }

  /** The comparisons that take one's place; none where it is dropped. */
  items(item: Item): readonly Item[] {
    let names = this.#plain.get(item.field);
    if (names === undefined && !this.#plain.has(item.field)) {
      names = this.#looksAt(item.field) ? undefined : this.of(item.field);
      this.#plain.set(item.field, names);
    }
    return names === undefined ? this.#stepByStep(item) : names.map((field) => ({ ...item, field }));
  }

  /** Whether some step depends on the values that the field is compared with. */
  #looksAt(field: string): boolean {
    let before: Renamed = { names: [field], applied: new Set(), dropped: false };
    for (const step of this.#steps) {
      const { names, applied } = before;
      if (looksAtValues(step) && names.some((name) => appliesToField(step, name, applied))) return true;
      // What took part is kept by comparison; where fields are told apart by it, the names alone do not say.
      if (names.length > 1 && step.fields.some(({ type }) => type === "processing_item_applied")) return true;
      before = apply(before, step);
    }
    return false;
  }

  #stepByStep(item: Item): readonly Item[] {
    let items: readonly { readonly item: Item; readonly applied: ReadonlySet<string> }[] = [{ item, applied: new Set() }];
    for (const step of this.#steps) {
      items = items.flatMap((before) => {
        if (!appliesToField(step, before.item.field, before.applied) || !appliesToItem(step, before.item, before.applied)) return [before];
        const made = transformed(step, before.item) ?? rename(step, before.item.field)?.map((field) => ({ ...before.item, field }));
        return made === undefined ? [before] : made.map((one) => ({ item: one, applied: new Set([...before.applied, step.id]) }));
      });
    }
    return items.map((one) => one.item);
  }

  #renamed(field: string): Renamed {
    let renamed = this.#fields.get(field);
    if (renamed === undefined) {
      renamed = this.#steps.reduce<Renamed>(apply, { names: [field], applied: new Set(), dropped: false });
      this.#fields.set(field, renamed);
    }
    return renamed;
  }
}

function apply(before: Renamed, step: Transformation): Renamed {
  let applied = false;
  let dropped = before.dropped;
  const names = before.names.flatMap((name) => {
    if (!appliesToField(step, name, before.applied)) return [name];
    const next = rename(step, name);
    if (next === undefined) return [name];
    applied = true;
    if (next.length === 0) dropped = true;
    return next.length === 0 ? [name] : next;
  });
  return applied ? { names, applied: new Set([...before.applied, step.id]), dropped } : before;
}

/** New names, `[]` for a dropped field, undefined where the transformation leaves it as it is. */
function rename(step: Transformation, name: string): readonly string[] | undefined {
  const { action } = step;
  switch (action.type) {
    case "field_name_mapping":
      return action.mapping.get(name);
    case "field_name_prefix":
      return [action.prefix + name];
    case "field_name_suffix":
      return [name + action.suffix];
    case "field_name_prefix_mapping":
      for (const [from, to] of action.mapping) if (name.startsWith(from)) return to.map((t) => t + name.slice(from.length));
      return undefined;
    case "drop_detection_item":
      return [];
    default:
      return undefined;
  }
}
