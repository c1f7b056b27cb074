/**
 * What a condition comes to over the terms of `terms.ts`: a question that finds every event it holds for, and whether it finds no other. What
 * only the event itself can tell (patterns, comparisons of case, two fields of one event) is let through. Knows no HTTP.
 */
import { type Address, type Condition, foldCase, likeParts, numberOf, parseNetwork, plainLike, withinLike } from "@vedette/condition";
import { addressTerm, maxText, nameable, numberTerm, pairTerm, separator, whollyOdd } from "./terms.ts";

/** A part of OpenSearch's query language. */
export type Clause = { readonly [kind: string]: unknown };

export interface Asked {
  /** Finds every event that the condition holds for. */
  readonly may: Clause;
  /** It finds no other, as far as the events found have all their terms. */
  readonly exact: boolean;
  /** Names the answer rests on; undefined: any text of the event. */
  readonly names: readonly string[] | undefined;
  /** Finds the events whose terms do not tell; they are among `may`. */
  readonly odd: Clause;
}

/** Bounds of a condition: what surely holds lies within `must`, what may hold within `may`; one clause where it is told exactly. */
interface Bounds {
  readonly may: Clause;
  readonly must: Clause;
}

const all: Clause = { match_all: {} };
const none: Clause = { match_none: {} };
const exactly = (clause: Clause): Bounds => ({ may: clause, must: clause });
const atMost = (clause: Clause): Bounds => ({ may: clause, must: none });

/** OpenSearch takes 1,024 clauses and some depth (`indices.query.bool.max_clause_count`): a larger question is asked loosely. */
const maxClauses = 800;
const maxDepth = 16;
/** Lucene gives up on patterns of ten thousand states; such ones are asked by a part of them. */
const maxPattern = 200;
const maxWild = 6;

const conjunction = (of: readonly Clause[]): Clause => {
  const told = of.filter((one) => one !== all);
  if (told.includes(none)) return none;
  return told.length === 0 ? all : told.length === 1 ? told[0]! : { bool: { filter: told } };
};
const disjunction = (of: readonly Clause[]): Clause => {
  if (of.includes(all)) return all;
  const told = of.filter((one) => one !== none);
  if (told.length < 2) return told[0] ?? none;
  // alternatives of one kind are one look-up
  const terms = new Map<string, string[]>();
  const others: Clause[] = [];
  for (const one of told) {
    const [field, value] = Object.entries((one["term"] as { readonly [field: string]: string } | undefined) ?? {})[0] ?? [];
    if (field === undefined || value === undefined) others.push(one);
    else terms.set(field, [...(terms.get(field) ?? []), value]);
  }
  const should = [...[...terms].map(([field, values]) => ({ terms: { [field]: values } })), ...others];
  return should.length === 1 ? should[0]! : { bool: { should, minimum_should_match: 1 } };
};
const negation = (of: Clause): Clause => (of === all ? none : of === none ? all : { bool: { must_not: [of] } });

const has = (name: string): Clause => ({ term: { n: name } });
const escaped = (text: string) => text.replace(/[*?\\]/g, "\\$&");

class Reader {
  readonly names = new Set<string>();
  anyText = false;
  private clauses = 0;

  read(condition: Condition, depth = 0): Bounds {
    if (++this.clauses > maxClauses || depth > maxDepth) return atMost(all);
    switch (condition.op) {
      case "and":
      case "or": {
        const of = condition.of.map((one) => this.read(one, depth + 1));
        const join = condition.op === "and" ? conjunction : disjunction;
        const may = join(of.map((one) => one.may));
        return of.every((one) => one.may === one.must) ? exactly(may) : { may, must: join(of.map((one) => one.must)) };
      }
      case "not": {
        const { may, must } = this.read(condition.of, depth + 1);
        return may === must ? exactly(negation(may)) : { may: negation(must), must: negation(may) };
      }
      case "keyword": {
        this.anyText = true;
        const bounds = pattern("t", "", withinLike(condition.value));
        return condition.cased ? atMost(bounds.may) : bounds;
      }
      case "time":
        if (condition.field === "@timestamp") return atMost(all);
        break;
      case "fieldref":
        this.names.add(condition.other);
        break;
    }
    this.names.add(condition.field);
    return leaf(condition);
  }
}

type Leaf = Exclude<Condition, { op: "and" | "or" | "not" | "keyword" }>;

function leaf(condition: Leaf): Bounds {
  const { field } = condition;
  // no event with such a name has terms for it: those are odd and let through
  if (!nameable(field)) return condition.op === "eq" && condition.value === null ? exactly(all) : exactly(none);
  switch (condition.op) {
    case "eq":
      if (condition.value === null) return exactly(disjunction([negation(has(field)), { term: { z: field } }]));
      return cased(condition, textual("eq", field, String(condition.value)));
    case "contains":
    case "starts":
    case "ends":
      return cased(condition, textual(condition.op, field, condition.value));
    case "like": {
      const plain = plainLike(likeParts(condition.value));
      return cased(condition, plain ? textual(plain.how, field, plain.text) : pattern("f", `${field}${separator}`, condition.value));
    }
    case "exists":
      return exactly(has(field));
    case "cidr":
      return network(field, condition.value);
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return order(field, condition.op, condition.value);
    case "fieldref":
      return atMost(conjunction([has(field), nameable(condition.other) ? has(condition.other) : none]));
    default:
      return atMost(has(field));
  }
}

/** Terms are folded: a comparison that heeds case is decided on the event. */
const cased = (condition: { readonly cased?: boolean }, bounds: Bounds): Bounds => (condition.cased ? atMost(bounds.may) : bounds);

function textual(how: "eq" | "contains" | "starts" | "ends", field: string, text: string): Bounds {
  const folded = foldCase(text);
  // half a character: no term is written so
  if (!folded.isWellFormed()) return atMost(has(field));
  // a longer one is in no term
  if (folded.length > maxText) return exactly(none);
  if (how === "eq") return exactly({ term: { f: pairTerm(field, folded) } });
  if (folded === "") return exactly(has(field));
  if (how === "starts") return exactly({ prefix: { f: { value: pairTerm(field, folded) } } });
  const wanted = escaped(folded);
  return pattern("f", `${field}${separator}`, how === "contains" ? `*${wanted}*` : `*${wanted}`);
}

/** A `like` pattern over the terms that begin with `head`. */
function pattern(terms: "f" | "t", head: string, like: string): Bounds {
  if (!like.isWellFormed()) return atMost(all);
  const parts = likeParts(foldCase(like));
  if (terms === "t" && parts.length === 1 && typeof parts[0] !== "string") return exactly(all);
  const wild = parts.filter((part) => typeof part !== "string").length;
  const length = parts.reduce((sum, part) => sum + (typeof part === "string" ? part.length : 1), 0);
  const ask = (text: string) => ({ wildcard: { [terms]: { value: `${escaped(head)}${text}` } } });
  if (wild <= maxWild && length <= maxPattern)
    return exactly(ask(parts.map((part) => (typeof part === "string" ? escaped(part) : part.wild)).join("")));
  const runs = parts.filter((part) => typeof part === "string");
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "").slice(0, maxPattern / 2);
  return atMost(longest === "" ? all : ask(`*${escaped(longest.toWellFormed().replaceAll("\ufffd", ""))}*`));
}

function network(field: string, text: string): Bounds {
  const found = parseNetwork(text);
  if (found === undefined) return exactly(none);
  const ends = [0, 1].map((last): Address => {
    const words = found.words.map((word, i) => {
      const own = found.v4 ? (i === 3 ? found.bits : 0) : Math.max(0, Math.min(32, found.bits - 32 * i));
      const mask = own <= 0 ? 0 : own >= 32 ? -1 : ~(0xffffffff >>> own);
      return last === 0 ? word & mask : word | ~mask;
    }) as [number, number, number, number];
    return { v4: found.v4, words };
  });
  return exactly({ range: { v: { gte: addressTerm(field, ends[0]!), lte: addressTerm(field, ends[1]!) } } });
}

function order(field: string, op: "lt" | "lte" | "gt" | "gte", bound: number | string): Bounds {
  const number = numberOf(bound);
  if (Number.isNaN(number)) return typeof bound === "number" ? exactly(none) : atMost(has(field));
  const term = numberTerm(field, number);
  const ends = op.startsWith("l")
    ? { gte: numberTerm(field, Number.NEGATIVE_INFINITY), [op]: term }
    : { [op]: term, lte: numberTerm(field, Number.POSITIVE_INFINITY) };
  return exactly({ range: { v: ends } });
}

export function askedOf(condition: Condition): Asked {
  const reader = new Reader();
  const { may, must } = reader.read(condition);
  const names = reader.anyText ? undefined : [...reader.names].filter(nameable);
  const odd: Clause = names === undefined ? { exists: { field: "o" } } : { terms: { o: [whollyOdd, ...names] } };
  return { may: disjunction([may, odd]), exact: may === must, names, odd };
}
