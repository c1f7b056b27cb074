/** Partition keys (channel, event code, dataset): which bucket an event falls into, and what a condition is worth within one. Knows no rules. */
import { type Condition, foldCase, type Readable } from "@vedette/condition";
import { textOfScalar } from "./frame.ts";

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
    if (!this.#tokens.has(lower)) this.#tokens.set(lower, this.size);
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

/** Divides events by the values of a few fields. */
export class Partition {
  readonly #keys: readonly Key[];
  /** Conditions that name one of the fields somewhere; of all others a bucket decides nothing. */
  readonly #concerned = new Set<Condition>();

  /** @param conditions every condition that will be asked about, so that the values they name are known */
  constructor(fields: readonly string[], conditions: Iterable<Condition>) {
    this.#keys = fields.map((field) => new Key(field));
    for (const condition of conditions) this.#learn(condition);
  }

  /** @returns whether the condition names one of the fields */
  #learn(condition: Condition): boolean {
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
    if (concerned) this.#concerned.add(condition);
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

  /** A function that tells what of a condition is left to decide for the bucket's events: nothing, when it is true or false for all of them. */
  within(bucket: number): (condition: Condition) => Condition | boolean {
    const tokens = this.#tokens(bucket);
    const decide = (condition: Condition): Condition | boolean => {
      if (!this.#concerned.has(condition)) return constant(condition);
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
