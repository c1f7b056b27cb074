/** Field names that events can carry (content/fields.yml), and which of a rule's fields are none of them. Knows no event. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { closest, suggestField } from "@vedette/condition";
import type { ProgramFile } from "@vedette/pipeline";
import { mapFields, type Pipeline, parsePipeline, type SigmaRule } from "@vedette/sigma";
import { parse } from "yaml";
import { contentDirectory } from "./content.ts";

/** A field that no event is known to carry. */
export interface UnknownField {
  /** As the rule writes it. */
  readonly field: string;
  readonly nearest?: string;
}

interface Names {
  readonly fields: { readonly [group: string]: readonly string[] };
  readonly open: { readonly [family: string]: readonly string[] };
  readonly free: readonly string[];
}

export class FieldNames {
  readonly #known = new Set<string>();
  readonly #open = new Map<string, ReadonlySet<string>>();
  readonly #free: readonly string[];
  /** What rules may write: Sigma's words that the pipelines map, by product; those for every product under "". */
  readonly #words = new Map<string, Set<string>>();
  readonly #pipelines: readonly Pipeline[];

  constructor(names: Names, pipelines: readonly Pipeline[]) {
    for (const [group, below] of Object.entries(names.fields)) {
      if (below.length === 0) this.#known.add(group);
      for (const name of below) this.#known.add(`${group}.${name}`);
    }
    for (const [family, below] of Object.entries(names.open)) this.#open.set(family, new Set(below));
    this.#free = names.free;
    this.#pipelines = pipelines;
    for (const { transformations } of pipelines) {
      for (const { action, rules } of transformations) {
        if (action.type !== "field_name_mapping") continue;
        const of = rules.flatMap((rule) => (rule.type === "logsource" ? [rule.logsource.product ?? ""] : []));
        const products = of.length === 0 ? [""] : of;
        for (const [word, targets] of action.mapping) {
          for (const product of products) this.#wordsOf(product).add(word);
          for (const target of targets) this.#known.add(target);
        }
      }
    }
  }

  /** Whether an event may carry this field. */
  knows(field: string): boolean {
    if (this.#known.has(field) || this.#free.some((f) => field === f || field.startsWith(`${f}.`))) return true;
    return this.#family(field) !== undefined;
  }

  /** The rule's fields that no event is known to carry, and those in an open family that look like a slip of a known name. */
  unknownIn(rule: SigmaRule): UnknownField[] {
    const found: UnknownField[] = [];
    for (const [field, targets] of mapFields(rule, this.#pipelines)) {
      if (targets.length === 0 || targets.some((t) => this.#known.has(t))) continue;
      const words = new Set([...this.#wordsOf(""), ...this.#wordsOf(rule.logsource.product ?? "")]);
      const near = targets.every((t) => this.knows(t)) ? this.#slip(field, targets, words) : (this.#nearest(field, words) ?? "");
      if (near !== undefined) found.push({ field, ...(near === "" || near === field ? {} : { nearest: near }) });
    }
    return found;
  }

  #wordsOf(product: string): Set<string> {
    const words = this.#words.get(product) ?? new Set();
    this.#words.set(product, words);
    return words;
  }

  #family(field: string): readonly [name: string, known: ReadonlySet<string>] | undefined {
    for (const family of this.#open) if (field.startsWith(`${family[0]}.`)) return family;
    return undefined;
  }

  /** The known name that a field of an open family nearly is; undefined when the field may well be meant. */
  #slip(field: string, targets: readonly string[], words: ReadonlySet<string>): string | undefined {
    if (words.has(field)) return undefined;
    const names = new Set<string>();
    for (const target of targets) {
      const family = this.#family(target);
      if (family === undefined) continue;
      const rest = target.slice(family[0].length + 1);
      if (family[1].has(rest) || rest.includes(".")) return undefined;
      for (const name of family[1]) names.add(name);
    }
    if (field.includes(".") || names.size === 0) return undefined;
    for (const word of words) names.add(word);
    // short names lie close to one another by nature (`a1`, `a2`; `uid`, `gid`)
    return field.length < 6 ? undefined : closest(field, names);
  }

  #nearest(field: string, words: ReadonlySet<string>): string | undefined {
    return field.includes(".") ? suggestField(field, this.#known) : (closest(field, words) ?? suggestField(field, this.#known));
  }
}

export const fieldNames = (pipelines: readonly Pipeline[]): FieldNames =>
  new FieldNames(parse(readFileSync(join(contentDirectory(), "fields.yml"), "utf8")) as Names, pipelines);

/** Of a rule, the fields that no event is known to carry under these mappings: it loads, and may never match. */
export function unknownFieldsUnder(pipelines: readonly ProgramFile[]): (rule: SigmaRule) => readonly string[] {
  const usable = pipelines.map(({ file, text }) => parsePipeline(text, file)).filter((p): p is Pipeline => !("construct" in p));
  const names = fieldNames(usable);
  const told = ({ field, nearest }: UnknownField) => (nearest === undefined ? field : `${field} (did you mean ${nearest}?)`);
  return (rule) => names.unknownIn(rule).map(told);
}
