/** How a format of JSON documents is declared: it says which documents are its own and what one means; parsing, containers and detection are the same for all. */
import {
  type DecodeContext,
  type Decoded,
  type DecodeResult,
  defineFormat,
  type FormatSpec,
  type JsonObject,
  type JsonValue,
  newFields,
  type z,
} from "@vedette/kit";
import type { Fields, Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { compileMapping, type Mapper, type Mapping } from "../ecs/mapping.ts";
import { parseAnyTime } from "../time/parse.ts";
import { flatten, Paths } from "./flatten.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "./parse.ts";

interface Documents<C extends z.ZodType> extends Omit<FormatSpec<C>, "kind" | "detect" | "decoder" | "json"> {
  /** As `JsonKind.claims`, for a single document or a container of several. */
  readonly claims: (object: JsonObject, context: DecodeContext) => number;
  /** As `JsonKind.anyOf`. */
  readonly anyOf?: readonly string[];
  /** The list a container document holds; undefined for a single document. */
  readonly members?: (object: JsonObject) => JsonValue | undefined;
  /** What one document means; may be given any, and then a flaw is the answer. */
  readonly decode: (object: JsonObject, context: DecodeContext, text: string) => Decoded | Flaw;
}

export function defineDocuments<C extends z.ZodType>(spec: Documents<C>): FormatSpec<C> {
  const { claims, anyOf, members, decode, ...rest } = spec;
  const decodeObject = (object: JsonObject, text: string, context: DecodeContext): DecodeResult => {
    const list = members?.(object);
    return Array.isArray(list)
      ? decodeMembers(list as readonly JsonValue[], (one) => decode(one, context, ""))
      : decode(object, context, text);
  };
  return defineFormat<C>({
    ...rest,
    detect(sample, preamble, stream) {
      const context = { preamble, received: 0, peer: undefined, source: "", stream };
      return 0.95 * share(sample, (line) => isClaimed(line, (object) => claims(object, context)));
    },
    decoder: () => (line, context) => {
      const parsed = parseObject(line);
      if (isFlaw(parsed)) return line.trim() === "" ? { skip: "blank" } : parsed;
      return decodeObject(parsed, line, context);
    },
    json: { ...(anyOf === undefined ? {} : { anyOf }), claims, decode: decodeObject },
  });
}

/** Longer documents are not parsed only to find out what a stream speaks. */
const maxSample = 65_536;

function isClaimed(line: string, claims: (object: JsonObject) => number): boolean {
  if (line.length > maxSample || !looksLikeObject(line)) return false;
  const parsed = parseObject(line);
  return !isFlaw(parsed) && claims(parsed) >= 0.5;
}

/** One event a member, with its own text as the original. Whatever a member is, it becomes an event: one odd record must not cost the others. */
export function decodeMembers(members: readonly JsonValue[], decode: (object: JsonObject) => Decoded | Flaw): DecodeResult {
  if (members.length === 0) return { skip: "blank" };
  return members.map((member): Decoded => {
    const object = isObject(member) ? member : { value: member };
    const decoded = decode(object);
    const event = "code" in decoded ? unknownMember(object) : decoded;
    event.original = JSON.stringify(member);
    return event;
  });
}

function unknownMember(object: JsonObject): Decoded {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.dataset"] = "json";
  flatten(object, fields);
  return { time: undefined, fields };
}

/** What documents of one kind have in common. */
export interface Reading {
  readonly module: string;
  readonly dataset: string;
  /** Every value of the document is kept below it under the sender's own path; ends with a dot. */
  readonly prefix: string;
  /** Paths that may tell the time, most telling first. */
  readonly time: readonly string[];
  readonly map: Mapping;
}

/** A document as an event: its constants, its values under their own paths, and what ECS has a name for. */
export interface DocumentReader {
  (object: JsonObject): { time: Micros | undefined; fields: Fields };
  /** A further mapping, for some of the documents: to be used at once after one was read. */
  readonly also: (map: Mapping) => Mapper;
}

export function documentReader(reading: Reading): DocumentReader {
  const paths = new Paths(reading.prefix);
  const reach = (path: string) => paths.ask(path);
  const map = compileMapping(reading.map, reach);
  const times = reading.time.map(reach);
  const read = (object: JsonObject) => {
    const fields = newFields();
    fields["event.kind"] = "event";
    fields["event.module"] = reading.module;
    fields["event.dataset"] = reading.dataset;
    paths.flatten(object, fields);
    map(object, fields);
    let time: Micros | undefined;
    for (const timeAt of times) {
      time = parseAnyTime(timeAt());
      if (time !== undefined) break;
    }
    return { time, fields };
  };
  return Object.assign(read, { also: (mapping: Mapping) => compileMapping(mapping, reach) });
}

/** A non-empty text, or undefined. */
export const textOf = (value: JsonValue | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
