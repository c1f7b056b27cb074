/** The bytes in which rules are kept as they were read and mapped: written whole, read as far as they are needed. Knows neither YAML nor pipelines. */
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import type { Condition } from "@vedette/condition";
import { join } from "./detection.ts";
import type { DetectionBlock } from "./detectionblock.ts";
import type { VedetteBlock } from "./header.ts";
import type { MappedRule, MappingFailure } from "./mapping.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Refusal } from "./refusal.ts";
import type { ParsedRules, SigmaRule } from "./rule.ts";

/**
 * Raised whenever the same text is read or mapped to something else than before, this module's own layout included; a test with a few rules
 * notices most such changes. The bytes: magic, this number, CRC-32 of the rest, lengths of the list and the rest, list, rest, blocks; numbers
 * little-endian.
 */
export const format = 7;
const magic = Buffer.from("vedette sigma\n");
const fixed = magic.length + 16;
/** SigmaHQ's 4,000 rules make 12 MB; what is far larger is not ours. */
const maxBytes = 256 * 1024 * 1024;

export type Mapping = MappedRule | MappingFailure;

/** What one text was read as. */
export interface Entry {
  readonly parsed: ParsedRules;
  /** Per rule of `parsed`, under the pipelines of `mappedWith`. */
  readonly mapped: (Mapping | undefined)[];
}

/** A file whose text need not be read while it has this stamp. */
export interface Stamped {
  readonly stamp: string;
  readonly key: string;
}

/** What a cache holds. */
export interface KeptRules {
  readonly versions: string;
  readonly mappedWith: string;
  /** By hash of file and text. */
  readonly entries: ReadonlyMap<string, Entry>;
  readonly pipelines: ReadonlyMap<string, Pipeline | Refusal>;
  readonly files: ReadonlyMap<string, Stamped>;
}

/** Where a block's text begins and ends among the blocks. */
type Span = readonly [from: number, to: number];
/** What is left of a rule and its mapping without their blocks; the placement by its number, since many rules share it. */
type KeptRule = Omit<SigmaRule, "condition" | "selections" | "vedette"> & { readonly block: Span };
type KeptMapping = Omit<MappedRule, keyof DetectionBlock | "own" | "placement"> & { readonly placement: number; readonly block: Span };
type Others = Omit<ParsedRules, "rules"> & { readonly blocks: readonly (VedetteBlock | undefined)[] };
/** Read as JSON, several times as fast as what `serialize` writes. */
interface List {
  readonly entries: readonly {
    readonly key: string;
    readonly rules: readonly KeptRule[];
    readonly mapped: readonly (KeptMapping | MappingFailure | null)[];
  }[];
  readonly placements: readonly (readonly Condition[])[];
  readonly files: readonly (readonly [file: string, at: Stamped])[];
}
/** What JSON cannot hold, or only some files have. */
interface Rest extends Omit<KeptRules, "entries" | "files"> {
  /** By number of the entry. */
  readonly others: ReadonlyMap<number, Others>;
}

export function packRules({ entries: kept, files, ...rest }: KeptRules): Uint8Array {
  const blocks: Buffer[] = [];
  let length = 0;
  const keep = (block: DetectionBlock): Span => {
    const bytes = Buffer.from(textOfBlock(block));
    blocks.push(bytes);
    length += bytes.length;
    return [length - bytes.length, length];
  };
  const placements: (readonly Condition[])[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (placement: readonly Condition[]): number => {
    const text = JSON.stringify(placement);
    const number = numbers.get(text) ?? placements.push(placement) - 1;
    numbers.set(text, number);
    return number;
  };
  const keptRule = ({ condition, selections, vedette: _, ...rule }: SigmaRule): KeptRule => ({
    ...rule,
    block: keep({ condition, selections }),
  });
  const keptMapping = (mapped: Mapping | undefined): KeptMapping | MappingFailure | null => {
    if (mapped === undefined || "message" in mapped) return mapped ?? null;
    const { fields, placed, own, selections, placement } = mapped;
    return { fields, placed, placement: numberOf(placement), block: keep({ condition: own, selections }) };
  };
  const others = new Map<number, Others>();
  const entries = [...kept].map(([key, { parsed, mapped }], number) => {
    const { rules, ...more } = parsed;
    const blocks = rules.map(({ vedette }) => vedette);
    if ([...Object.values(more).flat(), ...blocks].some((one) => one !== undefined)) others.set(number, { ...more, blocks });
    return { key, rules: rules.map(keptRule), mapped: mapped.map(keptMapping) };
  });
  const list = Buffer.from(inAscii(JSON.stringify({ entries, placements, files: [...files] } satisfies List)));
  const more = serialize({ ...rest, others } satisfies Rest);
  const start = Buffer.alloc(fixed);
  magic.copy(start);
  start.writeUInt32LE(format, magic.length);
  start.writeUInt32LE(list.length, magic.length + 8);
  start.writeUInt32LE(more.length, magic.length + 12);
  const bytes = Buffer.concat([start, list, more, ...blocks]);
  bytes.writeUInt32LE(crc32(bytes.subarray(fixed)), magic.length + 4);
  return bytes;
}

/** A text of which one character takes two bytes is read at half the speed. */
const inAscii = (json: string): string => json.replace(/[^\x00-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Undefined for what is damaged, another version's or foreign. */
export function unpackRules(given: Uint8Array, versions: string): KeptRules | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.length < fixed || bytes.length > maxBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  if (bytes.readUInt32LE(magic.length) !== format || bytes.readUInt32LE(magic.length + 4) !== crc32(bytes.subarray(fixed)))
    return undefined;
  const middle = fixed + bytes.readUInt32LE(magic.length + 8);
  const end = middle + bytes.readUInt32LE(magic.length + 12);
  try {
    const rest = deserialize(bytes.subarray(middle, end)) as Rest;
    if (rest.versions !== versions) return undefined;
    const list = JSON.parse(bytes.toString("latin1", fixed, middle)) as List;
    const blocks = bytes.subarray(end);
    const entries = list.entries.map(({ key, rules, mapped }, number): [string, Entry] => {
      const others = rest.others.get(number);
      const parsed = {
        correlations: others?.correlations ?? [],
        filters: others?.filters ?? [],
        refused: others?.refused ?? [],
        rules: rules.map((rule, i) => restoredRule(rule, others?.blocks[i], blocks)),
      };
      const restored = mapped.map((one) =>
        one === null ? undefined : "message" in one ? one : new RestoredMapping(one, list.placements, blocks),
      );
      return [key, { parsed, mapped: restored }];
    });
    return { ...rest, entries: new Map(entries), files: new Map(list.files) };
  } catch {
    return undefined;
  }
}

function restoredRule({ block, ...rule }: KeptRule, vedette: VedetteBlock | undefined, blocks: Buffer): SigmaRule {
  let read: DetectionBlock | undefined;
  const whole = () => (read ??= blockOfText(blocks.toString("utf8", ...block)));
  return {
    ...rule,
    get condition() {
      return whole().condition;
    },
    get selections() {
      return whole().selections;
    },
    ...(vedette === undefined ? {} : { vedette: withoutPrototype(vedette) as VedetteBlock }),
  };
}

/** Of thousands of rules most are never asked: each one's conditions are read when they first are. */
class RestoredMapping implements MappedRule {
  readonly placement: readonly Condition[];
  readonly fields: readonly string[];
  readonly placed: boolean;
  readonly #block: Span;
  readonly #blocks: Buffer;
  #read: (DetectionBlock & { readonly own: Condition }) | undefined;

  constructor({ placement, fields, placed, block }: KeptMapping, placements: List["placements"], blocks: Buffer) {
    this.placement = placements[placement]!;
    this.fields = fields;
    this.placed = placed;
    this.#block = block;
    this.#blocks = blocks;
  }

  get own(): Condition {
    return this.#whole().own;
  }

  get selections(): DetectionBlock["selections"] {
    return this.#whole().selections;
  }

  get condition(): Condition {
    return this.#whole().condition;
  }

  #whole() {
    if (this.#read !== undefined) return this.#read;
    const { condition: own, selections } = blockOfText(this.#blocks.toString("utf8", ...this.#block));
    this.#read = { own, selections, condition: join("and", [...this.placement, own]) };
    return this.#read;
  }
}

/** A selection within the condition, which is the very object that stands under its name. */
interface Use {
  readonly use: number;
}

function textOfBlock({ condition, selections }: DetectionBlock): string {
  const numbers = new Map<unknown, number>(selections.map((selection, i) => [selection.condition, i]));
  const used = (node: Condition): object => {
    const number = numbers.get(node);
    if (number !== undefined) return { use: number } satisfies Use;
    if (node.op === "and" || node.op === "or") return { op: node.op, of: node.of.map(used) };
    return node.op === "not" ? { op: "not", of: used(node.of) } : node;
  };
  return JSON.stringify([selections, used(condition)]);
}

function blockOfText(text: string): DetectionBlock {
  const [selections, whole] = JSON.parse(text) as [DetectionBlock["selections"], Condition | Use];
  const put = (node: Condition | Use): Condition => {
    if ("use" in node) return selections[node.use]!.condition;
    if (node.op === "and" || node.op === "or") return { op: node.op, of: node.of.map(put) };
    return node.op === "not" ? { op: "not", of: put(node.of) } : node;
  };
  return { selections, condition: put(whole) };
}

function withoutPrototype(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPrototype);
  if (value === null || typeof value !== "object") return value;
  const record: Record<string, unknown> = Object.create(null);
  for (const [key, one] of Object.entries(value)) record[key] = withoutPrototype(one);
  return record;
}
