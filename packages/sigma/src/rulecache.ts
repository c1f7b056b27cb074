/** Remembers what parsing and mapping rules gave, as bytes that the next start reads in place of YAML. Where they are kept is the caller's. */
import { hash } from "node:crypto";
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import { type MappedRule, type MappingFailure, mapRule } from "./mapping.ts";
import { type Pipeline, parsePipeline } from "./pipeline.ts";
import type { Refusal } from "./refusal.ts";
import { type ParsedRules, type ParseOptions, parseRules, type SigmaRule } from "./rule.ts";
import { type CompileOptions, compileRules, type RuleSet } from "./ruleset.ts";

/**
 * Raised whenever the same text is read or mapped to something else than before, this module's own layout included; a test with a few rules
 * notices most such changes. The bytes: magic, this number, CRC-32 of the rest, length of the head, head, bodies; numbers little-endian.
 */
export const format = 3;
const magic = Buffer.from("vedette sigma\n");
const fixed = magic.length + 12;
/** SigmaHQ's 4,000 rules make 12 MB; what is far larger is not ours. */
const maxBytes = 256 * 1024 * 1024;

/** The parts of a rule that are most of its bytes and that matching does not need, since mapped conditions stand for them. */
type Body = Pick<SigmaRule, "condition" | "selections">;
type Mapping = MappedRule | MappingFailure;

interface Entry {
  readonly parsed: ParsedRules;
  /** Per rule of `parsed`, under the pipelines of `mappedWith`. */
  readonly mapped: (Mapping | undefined)[];
}
interface Head {
  readonly versions: string;
  readonly mappedWith: string;
  readonly keys: readonly string[];
  readonly entries: readonly Entry[];
  readonly pipelines: ReadonlyMap<string, Pipeline | Refusal>;
}

/** The form of serialised values may change with V8. */
const versionsOf = (build: string): string => `${format} ${process.versions.v8} ${build}`;

export class RuleCache {
  readonly #read: ReadonlyMap<string, Entry>;
  readonly #readPipelines: ReadonlyMap<string, Pipeline | Refusal>;
  readonly #used = new Map<string, Entry>();
  readonly #usedPipelines = new Map<string, Pipeline | Refusal>();
  readonly #places = new WeakMap<SigmaRule, { readonly entry: Entry; readonly index: number }>();
  #mappedWith: string;
  #changed = false;

  readonly #versions: string;

  /**
   * @param bytes of an earlier `changed`; damaged ones, another version's and foreign ones are as good as none
   * @param build tells this build from others of the same version, where a caller can
   */
  constructor(bytes?: Uint8Array, build = "") {
    this.#versions = versionsOf(build);
    const head = bytes === undefined ? undefined : unpack(bytes, this.#versions);
    this.#read = new Map(head?.keys.map((key, i) => [key, head.entries[i]!]));
    this.#readPipelines = head?.pipelines ?? new Map();
    this.#mappedWith = head?.mappedWith ?? "";
  }

  /** As `parseRules`. */
  parseRules(text: string, file: string, options: ParseOptions = {}): ParsedRules {
    const key = hash("sha256", JSON.stringify([file, options.placeholders ?? {}]) + text, "base64url");
    let entry = this.#used.get(key) ?? this.#read.get(key);
    if (entry === undefined) {
      entry = { parsed: parseRules(text, file, options), mapped: [] };
      this.#changed = true;
    }
    this.#used.set(key, entry);
    for (const [index, rule] of entry.parsed.rules.entries()) this.#places.set(rule, { entry, index });
    return entry.parsed;
  }

  /** As `parsePipeline`. */
  parsePipeline(text: string, file: string): Pipeline | Refusal {
    const key = hash("sha256", JSON.stringify(file) + text, "base64url");
    let pipeline = this.#usedPipelines.get(key) ?? this.#readPipelines.get(key);
    if (pipeline === undefined) {
      pipeline = parsePipeline(text, file);
      this.#changed = true;
    }
    this.#usedPipelines.set(key, pipeline);
    return pipeline;
  }

  /** As `compileRules`; mappings of rules that came from here are remembered for one list of pipelines, the last. */
  compileRules(rules: readonly SigmaRule[], options: CompileOptions = {}): RuleSet {
    const wanted = JSON.stringify((options.pipelines ?? []).map((p) => ("construct" in p ? p.message : [p.hash, p.priority])));
    if (wanted !== this.#mappedWith) {
      this.#mappedWith = wanted;
      this.#changed = true;
      for (const entry of [...this.#read.values(), ...this.#used.values()]) entry.mapped.length = 0;
    }
    return compileRules(rules, options, (rule, pipelines) => {
      const place = this.#places.get(rule);
      if (place === undefined) return mapRule(rule, pipelines);
      const known = place.entry.mapped[place.index];
      if (known !== undefined) return known;
      this.#changed = true;
      const mapped = mapRule(rule, pipelines);
      place.entry.mapped[place.index] = mapped;
      return mapped;
    });
  }

  /** The bytes to keep in place of those this was made of: what was asked for since. Undefined where they would say nothing new. */
  changed(): Uint8Array | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    return pack({
      versions: this.#versions,
      mappedWith: this.#mappedWith,
      keys: [...this.#used.keys()],
      entries: [...this.#used.values()],
      pipelines: this.#usedPipelines,
    });
  }
}

function pack(head: Head): Uint8Array {
  const bodies = head.entries.map(({ parsed }) => parsed.rules.map(({ condition, selections }): Body => ({ condition, selections })));
  const entries = head.entries.map(({ parsed, mapped }) => ({
    parsed: { ...parsed, rules: parsed.rules.map((rule) => ({ ...rule, condition: undefined, selections: undefined })) },
    mapped,
  }));
  const [first, second] = [serialize({ ...head, entries }), serialize(bodies)];
  const start = Buffer.alloc(fixed);
  magic.copy(start);
  start.writeUInt32LE(format, magic.length);
  start.writeUInt32LE(crc32(second, crc32(first)), magic.length + 4);
  start.writeUInt32LE(first.length, magic.length + 8);
  return Buffer.concat([start, first, second]);
}

function unpack(given: Uint8Array, versions: string): Head | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.length < fixed || bytes.length > maxBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  if (bytes.readUInt32LE(magic.length) !== format || bytes.readUInt32LE(magic.length + 4) !== crc32(bytes.subarray(fixed)))
    return undefined;
  const middle = fixed + bytes.readUInt32LE(magic.length + 8);
  try {
    const head = deserialize(bytes.subarray(fixed, middle)) as Head;
    if (head.versions !== versions) return undefined;
    restore(head, bytes.subarray(middle));
    return head;
  } catch {
    return undefined;
  }
}

/** Gives rules back what serialising leaves out: their bodies, read when one is first asked for, and records without a prototype. */
function restore(head: Head, packed: Uint8Array): void {
  let bodies: Body[][] | undefined;
  const body = (entry: number, rule: number): Body => {
    bodies ??= deserialize(packed) as Body[][];
    return bodies[entry]![rule]!;
  };
  for (const [i, { parsed }] of head.entries.entries()) {
    for (const [k, rule] of parsed.rules.entries()) {
      Object.defineProperties(rule, {
        condition: { get: () => body(i, k).condition, enumerable: true },
        selections: { get: () => body(i, k).selections, enumerable: true },
        ...(rule.vedette === undefined ? {} : { vedette: { value: withoutPrototype(rule.vedette), enumerable: true } }),
      });
    }
  }
}

function withoutPrototype(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPrototype);
  if (value === null || typeof value !== "object") return value;
  const record: Record<string, unknown> = Object.create(null);
  for (const [key, one] of Object.entries(value)) record[key] = withoutPrototype(one);
  return record;
}
