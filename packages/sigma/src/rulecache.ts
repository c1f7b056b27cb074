/** Remembers what parsing and mapping rules gave, as bytes that the next start reads in place of YAML. Where they are kept is the caller's. */
import { hash } from "node:crypto";
import { mapRule } from "./mapping.ts";
import { type Pipeline, parsePipeline } from "./pipeline.ts";
import type { Refusal } from "./refusal.ts";
import { type ParsedRules, type ParseOptions, parseRules, type SigmaRule } from "./rule.ts";
import { type Entry, format, packRules, type Stamped, unpackRules } from "./rulebytes.ts";
import { type CompileOptions, compileRules, type RuleSet } from "./ruleset.ts";

/** The form of serialised values may change with V8. */
const versionsOf = (build: string): string => `${format} ${process.versions.v8} ${build}`;

export class RuleCache {
  readonly #read: ReadonlyMap<string, Entry>;
  readonly #readPipelines: ReadonlyMap<string, Pipeline | Refusal>;
  readonly #readFiles: ReadonlyMap<string, Stamped>;
  readonly #used = new Map<string, Entry>();
  readonly #usedFiles = new Map<string, Stamped>();
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
    const kept = bytes === undefined ? undefined : unpackRules(bytes, this.#versions);
    this.#read = kept?.entries ?? new Map();
    this.#readPipelines = kept?.pipelines ?? new Map();
    this.#readFiles = kept?.files ?? new Map();
    this.#mappedWith = kept?.mappedWith ?? "";
  }

  /** As `parseRules`. */
  parseRules(text: string, file: string, options: ParseOptions = {}): ParsedRules {
    return this.#parse(keyOf(text, file, options), text, file, options);
  }

  /**
   * As `parseRules`, of a file that is read only where it is not as it was.
   * @param stamp becomes another whenever the file is written: its size, times and inode, say
   */
  parseFile(file: string, stamp: string, read: () => string, options: ParseOptions = {}): ParsedRules {
    const wanted = `${stamp} ${JSON.stringify(options.placeholders ?? {})}`;
    const known = this.#usedFiles.get(file) ?? this.#readFiles.get(file);
    const entry = known?.stamp === wanted ? (this.#used.get(known.key) ?? this.#read.get(known.key)) : undefined;
    if (known !== undefined && entry !== undefined) {
      this.#usedFiles.set(file, known);
      return this.#use(known.key, entry);
    }
    const text = read();
    const key = keyOf(text, file, options);
    this.#usedFiles.set(file, { stamp: wanted, key });
    this.#changed = true;
    return this.#parse(key, text, file, options);
  }

  #parse(key: string, text: string, file: string, options: ParseOptions): ParsedRules {
    let entry = this.#used.get(key) ?? this.#read.get(key);
    if (entry === undefined) {
      entry = { parsed: parseRules(text, file, options), mapped: [] };
      this.#changed = true;
    }
    return this.#use(key, entry);
  }

  #use(key: string, entry: Entry): ParsedRules {
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

  /** As `compileRules`; mappings of rules that came from here are remembered for one list of pipelines, the last with which there were rules. */
  compileRules(rules: readonly SigmaRule[], options: CompileOptions = {}): RuleSet {
    if (rules.length === 0) return compileRules(rules, options);
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
    return packRules({
      versions: this.#versions,
      mappedWith: this.#mappedWith,
      entries: this.#used,
      pipelines: this.#usedPipelines,
      files: this.#usedFiles,
    });
  }
}

const keyOf = (text: string, file: string, { placeholders = {} }: ParseOptions): string =>
  hash("sha256", JSON.stringify([file, placeholders]) + text, "base64url");
