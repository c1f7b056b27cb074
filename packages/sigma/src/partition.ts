/** Partition keys (channel, event code, dataset): which bucket an event falls into, and what a condition is worth within one. Knows no rules. */
import { type Condition, foldCase, type Readable } from "@vedette/condition";
import type { Member } from "./bucket.ts";
import { push } from "./fieldindex.ts";
import { textOfScalar } from "./frame.ts";
import type { MappedRule } from "./mapping.ts";

/** Tokens of a partition field's value: absent, a value that no rule names, a list (decided per event), or a named value from 3 on. */
const absent = 0;
const other = 1;
const list = 2;
/** Raw values whose token is remembered; an attacker's endless new values only start it afresh. */
const maxRemembered = 4_096;

/** Values of one field that conditions compare with as a whole. */
class Key {
  readonly field: string;
  readonly #tokens = new Map<string, number>();
  readonly #uses = new Map<string, number>();
  readonly #remembered = new Map<unknown, number>();

  constructor(field: string) {
    this.field = field;
  }

  /** How many tokens there are. */
  get size(): number {
    return this.#tokens.size + 3;
  }

  name(value: string): void {
    const lower = foldCase(value);
    this.#uses.set(lower, this.uses(lower) + 1);
    if (!this.#tokens.has(lower)) this.#tokens.set(lower, this.size);
  }

  /** How often a value was named. */
  uses(value: string): number {
    return this.#uses.get(foldCase(value)) ?? 0;
  }

  /** Token of a literal that `name` was called with. */
  named(value: string): number | undefined {
    return this.#tokens.get(foldCase(value));
  }

  token(value: unknown): number {
    if (value === undefined || value === null) return absent;
    if (typeof value === "object") return list;
    const known = this.#remembered.get(value);
    if (known !== undefined) return known;
    const text = textOfScalar(value);
    const token = this.#tokens.get(foldCase(text)) ?? other;
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    if (text.length <= 256) this.#remembered.set(value, token);
    return token;
  }
}

/** A rule as it is divided from others. */
export type Divided = Pick<MappedRule, "placement" | "own" | "fields">;

/** Tokens by key, and how often conditions name them in all. */
interface Ties {
  readonly of: { readonly key: number; readonly token: number }[];
  uses: number;
}

/** Divides events by the values of a few fields. */
export class Partition {
  readonly #keys: readonly Key[];
  /** Whether conditions name one of the fields somewhere; of those that do not a bucket decides nothing. */
  readonly #concerned = new Map<Condition, boolean>();
  readonly #rules: readonly Divided[];
  /** By key and token: rules that hold only with this token, or with one of few others; a bucket looks at no others. */
  readonly #bound: readonly Map<number, number[]>[];
  readonly #free: number[] = [];

  /** @param rules all of them, so that the values they name are known; their own conditions are left alone until a bucket needs them */
  constructor(fields: readonly string[], rules: readonly Divided[]) {
    this.#keys = fields.map((field) => new Key(field));
    this.#rules = rules;
    // A pipeline's condition says mostly all there is to say.
    const telling = (rule: Divided) =>
      rule.fields.some((field) => fields.includes(field)) ? [...rule.placement, rule.own] : rule.placement;
    for (const rule of rules) for (const condition of telling(rule)) this.#learn(condition);
    this.#bound = this.#keys.map(() => new Map());
    for (const [number, rule] of rules.entries()) {
      const ties = this.#leastUsed(telling(rule));
      if (ties === undefined) this.#free.push(number);
      else for (const { key, token } of ties.of) push(this.#bound[key]!, token, number);
    }
  }

  /** Tokens of which an event must have one for the condition to hold, the least used that can be found; undefined where there are none such. */
  #tiesOf(condition: Condition): Ties | undefined {
    if (!this.#concerned.get(condition)) return undefined;
    if (condition.op === "and") return this.#leastUsed(condition.of);
    if (condition.op === "or") {
      const all: Ties = { of: [], uses: 0 };
      for (const child of condition.of) {
        const ties = this.#tiesOf(child);
        if (ties === undefined) return undefined;
        all.of.push(...ties.of);
        all.uses += ties.uses;
      }
      return all;
    }
    if (condition.op !== "eq" || condition.value === null || condition.cased) return undefined;
    const key = this.#keys.findIndex(({ field }) => field === condition.field);
    const named = String(condition.value);
    return { of: [{ key, token: this.#keys[key]!.named(named)! }], uses: this.#keys[key]!.uses(named) };
  }

  /** Of conditions that must all hold. */
  #leastUsed(all: readonly Condition[]): Ties | undefined {
    let best: Ties | undefined;
    for (const condition of all) {
      const ties = this.#tiesOf(condition);
      if (ties !== undefined && (best === undefined || ties.uses < best.uses)) best = ties;
    }
    return best;
  }

  /** What is left of each rule for the bucket's events, but for those that hold for none of them: ascending. */
  *membersOf(bucket: number): Iterable<Member> {
    const tokens = this.#tokens(bucket);
    const decide = this.#within(tokens);
    let met: Iterable<number> = this.#rules.keys();
    // A list has no token of its own: each event decides.
    if (!tokens.includes(list)) {
      const bound = tokens.flatMap((token, key) => this.#bound[key]!.get(token) ?? []);
      met = [...new Set([...this.#free, ...bound])].sort((a, b) => a - b);
    }
    for (const number of met) {
      const rule = this.#rules[number]!;
      if (rule.placement.some((condition) => decide(condition) === false)) continue;
      const all = [...rule.placement, rule.own];
      const rest = all.length === 1 ? decide(rule.own) : junction({ op: "and", of: all }, "and", decide);
      if (rest !== false) yield { rule: number, rest };
    }
  }

  /** @returns whether the condition names one of the fields */
  #learn(condition: Condition): boolean {
    const known = this.#concerned.get(condition);
    if (known !== undefined) return known;
    let concerned: boolean;
    if (condition.op === "and" || condition.op === "or") {
      concerned = false;
      for (const c of condition.of) if (this.#learn(c)) concerned = true;
    } else if (condition.op === "not") concerned = this.#learn(condition.of);
    else {
      const key = "field" in condition ? this.#key(condition.field) : undefined;
      concerned = key !== undefined;
      if (condition.op === "eq" && condition.value !== null) key?.name(String(condition.value));
    }
    this.#concerned.set(condition, concerned);
    return concerned;
  }

  #key(field: string): Key | undefined {
    for (const key of this.#keys) if (key.field === field) return key;
    return undefined;
  }

  /** The bucket of an event: one number for its combination of tokens. */
  bucket(event: Readable): number {
    let bucket = 0;
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i]!;
      bucket = bucket * key.size + key.token(event.fields[key.field]);
    }
    return bucket;
  }

  /** The bucket's tokens, in the order of the fields. */
  #tokens(bucket: number): number[] {
    const tokens: number[] = [];
    let rest = bucket;
    for (const key of [...this.#keys].reverse()) {
      tokens.unshift(rest % key.size);
      rest = Math.floor(rest / key.size);
    }
    return tokens;
  }

  /** A function that tells what of a condition is left to decide for events of these tokens: nothing, when it is true or false for all of them. */
  #within(tokens: readonly number[]): (condition: Condition) => Condition | boolean {
    const decide = (condition: Condition): Condition | boolean => {
      if (!this.#concerned.get(condition)) return constant(condition);
      switch (condition.op) {
        case "and":
          return junction(condition, "and", decide);
        case "or":
          return junction(condition, "or", decide);
        case "not": {
          const of = decide(condition.of);
          if (typeof of === "boolean") return !of;
          return of === condition.of ? condition : { op: "not", of };
        }
        case "keyword":
          return condition;
      }
      const at = this.#keys.findIndex((key) => key.field === condition.field);
      return this.#leaf(condition, this.#keys[at]!, tokens[at]!);
    };
    return decide;
  }

  #leaf(leaf: Condition, key: Key, token: number): Condition | boolean {
    if (token === list) return leaf;
    if (leaf.op === "exists") return token !== absent;
    if (leaf.op === "eq" && leaf.value === null) return token === absent;
    // No comparison holds on an absent field.
    if (token === absent) return false;
    if (leaf.op === "eq" && !leaf.cased) return key.named(String(leaf.value)) === token;
    return leaf;
  }
}

/** `and` and `or` of nothing are decided everywhere. */
function constant(condition: Condition): Condition | boolean {
  return (condition.op === "and" || condition.op === "or") && condition.of.length === 0 ? condition.op === "and" : condition;
}

function junction(
  condition: Condition & { readonly of: readonly Condition[] },
  op: "and" | "or",
  decide: (c: Condition) => Condition | boolean,
): Condition | boolean {
  const deciding = op === "or";
  const of: Condition[] = [];
  let changed = false;
  for (const child of condition.of) {
    const rest = decide(child);
    if (rest === deciding) return deciding;
    if (rest !== child) changed = true;
    if (typeof rest !== "boolean") of.push(rest);
  }
  if (!changed) return condition;
  if (of.length === 0) return !deciding;
  return of.length === 1 ? of[0]! : { op, of };
}
