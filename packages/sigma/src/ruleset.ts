/** Rules compiled for matching events one by one. Knows no sources, no time and no state but its counters. */
import type { Condition, Readable } from "@vedette/condition";
import { Bucket, type Shared } from "./bucket.ts";
import { type Evidence, explainMatch } from "./explain.ts";
import { applyFilters, type SigmaFilter } from "./filter.ts";
import { Frame, Slots } from "./frame.ts";
import { contentHash } from "./header.ts";
import { wordsOf } from "./logsource.ts";
import { type MappedRule, type MappingFailure, mapRule } from "./mapping.ts";
import { Meter, type RuleCost } from "./meter.ts";
import { Partition } from "./partition.ts";
import type { Pipeline } from "./pipeline.ts";
import { Compiler } from "./predicate.ts";
import { type Refusal, refusal } from "./refusal.ts";
import type { SigmaRule } from "./rule.ts";
import { Searches } from "./searches.ts";
import { type Clause, traceRule } from "./trace.ts";

export interface CompileOptions {
  /**
   * Mappings from the rules' words to the events', as `parsePipeline` gave them: a refused one is listed in `refused`. With none, rules name
   * the events' own fields and look at every event.
   */
  readonly pipelines?: readonly (Pipeline | Refusal)[];
  /** Exceptions put into the rules they name; one that is for no rule is refused. */
  readonly filters?: readonly SigmaFilter[];
  /** Fields whose whole values divide events into kinds. */
  readonly partitionFields?: readonly string[];
  /** Milliseconds, for `costs`; matches do not depend on it. By default the process's own clock. */
  readonly clock?: () => number;
}

/** How often a rule was asked, and how often it held: `seen = matched + notMatched`. */
export interface RuleCount {
  readonly seen: number;
  readonly matched: number;
  readonly notMatched: number;
}

/** What a rule was asked, and what that cost, since `RuleSet.drain` was called last. */
export interface RuleUse {
  readonly rule: number;
  readonly seen: number;
  readonly matched: number;
  /** As `RuleCost` has it; the estimate of what went before moves too, up or down. */
  readonly evaluated: number;
  readonly estimated_ms: number;
}

/** The kinds of events by which our pipelines tell logsources apart. */
const defaultPartition = ["event.dataset", "winlog.channel", "event.code", "event.module"];
/** Buckets kept; the named values of three fields make fewer in practice, and the oldest is built again when it is needed. */
const maxBuckets = 2_048;

/**
 * Compiles rules for matching. Never throws for a rule: what cannot be compiled is in `refused`, and rule numbers count the accepted ones.
 * @param map for `RuleCache`, which remembers what `mapRule` gave
 */
export function compileRules(rules: readonly SigmaRule[], options: CompileOptions = {}, map = mapRule): RuleSet {
  const given = options.pipelines ?? [];
  const pipelines = given.filter((p): p is Pipeline => !("construct" in p));
  const accepted: SigmaRule[] = [];
  const mapped: MappedRule[] = [];
  const filtered = applyFilters(rules, options.filters ?? []);
  const refused: Refusal[] = [...given.filter((p): p is Refusal => "construct" in p), ...filtered.refused];
  const ids = new Map<string, SigmaRule>();
  for (const rule of filtered.rules) {
    const result = accept(rule, ids.get(rule.id), given.length > 0, () => map(rule, pipelines));
    if ("construct" in result) {
      refused.push(result);
      continue;
    }
    ids.set(rule.id, rule);
    accepted.push(rule);
    mapped.push(result);
  }
  const hash = contentHash([accepted.map((r) => r.hash).sort(), pipelines.map((p) => p.hash).sort()]);
  return new RuleSet(accepted, mapped, refused, hash, options);
}

function accept(
  rule: SigmaRule,
  same: SigmaRule | undefined,
  mustBePlaced: boolean,
  map: () => MappedRule | MappingFailure,
): MappedRule | Refusal {
  const { file, line, title, id } = rule;
  const refuse = (construct: string, expected: string, suggestion: string): Refusal =>
    refusal({ file, line, column: 1, title, id }, { construct, expected, suggestion });
  if (same !== undefined)
    return refuse(`id: ${rule.id}`, "an id of its own", `${same.file}:${same.line} has it already: give one of them a new id`);
  const result = map();
  if ("message" in result) return refuse(`logsource ${wordsOf(rule.logsource)}`, result.message, "remove the rule or change the pipeline");
  if (mustBePlaced && !result.placed) {
    return refuse(
      `logsource ${wordsOf(rule.logsource)}`,
      "a logsource that a pipeline maps to events",
      "add a pipeline with add_condition for this logsource",
    );
  }
  return result;
}

export class RuleSet {
  /** The accepted rules; numbers in results are positions here. */
  readonly rules: readonly SigmaRule[];
  readonly refused: readonly Refusal[];
  /** Of everything that decides matches: rules and pipelines. */
  readonly hash: string;
  readonly #mapped: readonly MappedRule[];
  readonly #partition: Partition;
  readonly #slots = new Slots();
  readonly #compiler = new Compiler(this.#slots);
  readonly #frame = new Frame(this.#slots);
  readonly #searches = new Searches();
  readonly #meter: Meter;
  readonly #shared: Shared;
  readonly #buckets = new Map<number, Bucket>();
  readonly #matched: Float64Array;
  /** Events seen by buckets that were let go, per rule. */
  readonly #seenBefore: Float64Array;
  /** Per rule, what `drain` has told, and what buckets saw that were let go since. */
  readonly #told: { readonly matched: Float64Array; readonly evaluated: Float64Array; readonly estimated_ms: Float64Array };
  readonly #untold: Float64Array;

  /** For `compileRules`. */
  constructor(
    rules: readonly SigmaRule[],
    mapped: readonly MappedRule[],
    refused: readonly Refusal[],
    hash: string,
    options: CompileOptions,
  ) {
    this.rules = rules;
    this.refused = refused;
    this.hash = hash;
    this.#mapped = mapped;
    this.#partition = new Partition(options.partitionFields ?? defaultPartition, mapped);
    this.#meter = new Meter(rules.length, options.clock ?? (() => performance.now()));
    this.#shared = { compiler: this.#compiler, searches: this.#searches, meter: this.#meter };
    this.#matched = new Float64Array(rules.length);
    this.#seenBefore = new Float64Array(rules.length);
    this.#untold = new Float64Array(rules.length);
    const none = () => new Float64Array(rules.length);
    this.#told = { matched: none(), evaluated: none(), estimated_ms: none() };
  }

  /**
   * Empties `out`, then fills it with the numbers of the rules that match, ascending. Never throws, whatever the values are.
   * Of each value the first 64 Ki characters are looked at.
   * @returns how many match
   */
  match(event: Readable, out: number[]): number {
    out.length = 0;
    const bucket = this.#bucket(this.#partition.bucket(event));
    bucket.seen++;
    if (bucket.rules.length === 0) return 0;
    this.#frame.reset(event);
    bucket.match(event, this.#frame, out);
    if (out.length > 1) out.sort((a, b) => a - b);
    for (let i = 0; i < out.length; i++) this.#matched[out[i]!]!++;
    return out.length;
  }

  /** The kind of an event: events of the same number meet the same rules. Stable for the life of the set. */
  bucketOf(event: Readable): number {
    return this.#partition.bucket(event);
  }

  /** Numbers of the rules that an event of this kind meets. */
  rulesIn(bucket: number): readonly number[] {
    return this.#bucket(bucket).rules;
  }

  /** Why a rule matches an event: the clauses that hold, with field and value, named by selection. Empty when it does not match. */
  explain(rule: number, event: Readable): Evidence[] {
    const mapped = this.#mapped[rule];
    if (mapped === undefined) return [];
    this.#frame.reset(event);
    return explainMatch(mapped, event, this.#compiler, this.#frame);
  }

  /** The rule held against an event clause by clause: also says which clause fails, and on what value. */
  trace(rule: number, event: Readable): Clause {
    this.#frame.reset(event);
    return traceRule(this.#mapped[rule]!, event, this.#compiler, this.#frame);
  }

  /** Does one rule hold for one event, by plain evaluation without any index? */
  test(rule: number, event: Readable): boolean {
    const mapped = this.#mapped[rule];
    if (mapped === undefined) return false;
    this.#frame.reset(event);
    return this.#compiler.predicate(mapped.condition)(this.#frame);
  }

  /** The rule's condition in the fields of the events, its logsource included. */
  conditionOf(rule: number): Condition {
    return this.#mapped[rule]!.condition;
  }

  /** Per rule, how many events it was asked about since the set was made. */
  counts(): RuleCount[] {
    const seen = this.#seenBefore.slice();
    for (const bucket of this.#buckets.values()) for (const rule of bucket.rules) seen[rule]! += bucket.seen;
    return this.rules.map((_, rule) => ({
      seen: seen[rule]!,
      matched: this.#matched[rule]!,
      notMatched: seen[rule]! - this.#matched[rule]!,
    }));
  }

  /** Events that each rule was asked about, by rule id, since the set was made. */
  seen(): { readonly [id: string]: number } {
    const seen: { [id: string]: number } = Object.create(null);
    for (const [rule, count] of this.counts().entries()) seen[this.rules[rule]!.id] = count.seen;
    return seen;
  }

  /** Per rule, what its evaluations cost since the set was made, from a sample of them. */
  costs(): RuleCost[] {
    return this.#meter.costs();
  }

  /** Of the rules that were asked since the last call, what they did since; cheap enough to be asked with every batch of events. */
  drain(): RuleUse[] {
    const seen = this.#untold;
    for (const bucket of this.#buckets.values()) {
      const more = bucket.seen - bucket.told;
      if (more === 0) continue;
      bucket.told = bucket.seen;
      for (let i = 0; i < bucket.rules.length; i++) seen[bucket.rules[i]!]! += more;
    }
    const uses: RuleUse[] = [];
    const told = this.#told;
    for (let rule = 0; rule < seen.length; rule++) {
      if (seen[rule] === 0) continue;
      const { evaluated, estimated_ms } = this.#meter.costOf(rule);
      const matched = this.#matched[rule]!;
      uses.push({
        rule,
        seen: seen[rule]!,
        matched: matched - told.matched[rule]!,
        evaluated: evaluated - told.evaluated[rule]!,
        estimated_ms: estimated_ms - told.estimated_ms[rule]!,
      });
      told.matched[rule] = matched;
      told.evaluated[rule] = evaluated;
      told.estimated_ms[rule] = estimated_ms;
    }
    seen.fill(0);
    return uses;
  }

  /** Sets a rule aside: it matches nothing until it is taken back. The numbers of the others stay. */
  quarantine(rule: number, aside = true): void {
    this.#meter.setAside(rule, aside);
  }

  isQuarantined(rule: number): boolean {
    return this.#meter.isAside(rule);
  }

  /** Size of what was built so far. */
  statistics(): { readonly buckets: number; readonly states: number } {
    return { buckets: this.#buckets.size, states: this.#searches.states };
  }

  #bucket(number: number): Bucket {
    const known = this.#buckets.get(number);
    if (known !== undefined) return known;
    if (this.#buckets.size >= maxBuckets) this.#letGo();
    const bucket = new Bucket([...this.#partition.membersOf(number)], this.#shared);
    this.#buckets.set(number, bucket);
    return bucket;
  }

  #letGo(): void {
    const [oldest] = this.#buckets;
    if (oldest === undefined) return;
    const { rules, seen, told } = oldest[1];
    for (const rule of rules) {
      this.#seenBefore[rule]! += seen;
      this.#untold[rule]! += seen - told;
    }
    this.#buckets.delete(oldest[0]);
  }
}
