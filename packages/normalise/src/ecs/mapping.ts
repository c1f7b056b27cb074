/** Declared mappings: which ECS field comes from where in a document or a row, with the type that ECS gives the field. Knows no format. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import type { Fields, Scalar } from "@vedette/model";
import { plainIp } from "../linux/peer.ts";

/**
 * By ECS field the path of its value, or several, of which the first that has a value counts. A path is dotted; a number picks a member of an
 * array, and a path through an array of objects gives the values of all of them.
 */
export type Mapping = { readonly [field: string]: string | readonly string[] };

/** What a mapping does to one document. */
export type Mapper = (object: JsonObject, fields: Fields) => void;

type Put = (fields: Fields, field: string, value: JsonValue) => boolean;

export function compileMapping(mapping: Mapping): Mapper {
  const steps = Object.entries(mapping).map(([field, paths]) => ({
    field,
    put: putFor(field),
    paths: (typeof paths === "string" ? [paths] : paths).map(path),
  }));
  return (object, fields) => {
    for (const { field, put, paths } of steps) {
      for (const one of paths) {
        const value = valueAt(object, one, 0);
        if (value !== undefined && put(fields, field, value)) break;
      }
    }
  };
}

/** Sets one field to a value in the type ECS gives it; false where the value is of no use there (absent, empty, `-`, no address, no number). */
export function putField(fields: Fields, field: string, value: JsonValue | undefined): boolean {
  return value !== undefined && putFor(field)(fields, field, value);
}

/** A path with each of its ends: exporters that flatten documents write `a.b.c` as one key. */
interface Path {
  readonly parts: readonly string[];
  readonly rests: readonly string[];
}

/** A dotted path, ready for `valueAt`. */
export function path(text: string): Path {
  const parts = text.split(".");
  return { parts, rests: parts.map((_, i) => parts.slice(i).join(".")) };
}

/** Members of an array that a path is followed into; longer lists are kept whole where they are flattened. */
const maxMembers = 256;

/** The value at a path, from its `at`th part on; nulls count as absent. */
export function valueAt(value: JsonValue | undefined, where: Path, at = 0): JsonValue | undefined {
  if (value === null || value === undefined) return undefined;
  if (at === where.parts.length) return value;
  if (typeof value !== "object") return undefined;
  const part = where.parts[at]!;
  if (Array.isArray(value)) {
    const members = value as readonly JsonValue[];
    const index = Number(part);
    if (Number.isInteger(index)) return valueAt(members[index], where, at + 1);
    return membersAt(members, where, at);
  }
  const object = value as JsonObject;
  if (at < where.parts.length - 1) {
    const whole = object[where.rests[at]!];
    if (whole !== undefined && whole !== null) return whole;
  }
  return valueAt(object[part], where, at + 1);
}

function membersAt(members: readonly JsonValue[], where: Path, at: number): JsonValue | undefined {
  const found: JsonValue[] = [];
  for (let i = 0; i < members.length && i < maxMembers; i++) {
    const one = valueAt(members[i], where, at);
    if (one === undefined) continue;
    if (!Array.isArray(one)) found.push(one);
    else for (const member of one as readonly JsonValue[]) if (found.length < maxMembers) found.push(member);
  }
  return found.length === 0 ? undefined : found;
}

const addresses = /(?:^|[._])ip$/;
const numbers = /(?:^|\.)(?:port|bytes|packets|pid|status_code|exit_code|size|severity|duration|ttl|as\.number)$/;
const truths = /(?:^|\.)(?:established|resumed|recursive)$/;

function putFor(field: string): Put {
  if (addresses.test(field)) return putAddress;
  if (numbers.test(field)) return putNumber;
  return truths.test(field) ? putPlain : putText;
}

/** What is no address is kept as `….address`, ECS's place for what the sender wrote. */
const putAddress: Put = (fields, field, value) => {
  if (Array.isArray(value)) {
    const all = (value as readonly JsonValue[]).flatMap((one) => (typeof one === "string" ? (addressOf(one) ?? []) : []));
    if (all.length > 0) fields[field] = all.length === 1 ? all[0]! : all;
    return all.length > 0;
  }
  if (typeof value !== "string" || value === "" || value === "-") return false;
  const address = addressOf(value);
  if (address !== undefined) fields[field] = address;
  else if (field.endsWith(".ip")) fields[`${field.slice(0, -3)}.address`] = value;
  return true;
};

/** An address, with or without a port behind it. */
export function addressOf(text: string): string | undefined {
  const plain = plainIp(text);
  if (plain !== undefined) return plain;
  const colon = text.lastIndexOf(":");
  return colon > 0 && (text.charCodeAt(0) === 0x5b || text.indexOf(":") === colon) ? plainIp(text.slice(0, colon)) : undefined;
}

const putNumber: Put = (fields, field, value) => {
  const number = typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) return false;
  fields[field] = number;
  return true;
};

const putPlain: Put = (fields, field, value) => {
  if (typeof value === "object" || value === "" || (typeof value === "number" && !Number.isFinite(value))) return false;
  fields[field] = value;
  return true;
};

const putText: Put = (fields, field, value) => {
  if (Array.isArray(value)) {
    const all = (value as readonly JsonValue[]).flatMap((one) => keyword(one) ?? []);
    if (all.length > 0) fields[field] = all.length === 1 ? all[0]! : all;
    return all.length > 0;
  }
  const text = keyword(value);
  if (text === undefined || text === "-") return false;
  fields[field] = text;
  return true;
};

/** ECS's keywords are texts: an id that came as a number is one too. */
function keyword(value: JsonValue): Scalar | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return undefined;
}
