/** Declared mappings: which ECS field comes from where in a document or a row, with the type that ECS gives the field. Knows no format. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import type { Fields, Scalar } from "@vedette/model";
import { path, valueAt } from "../json/path.ts";
import { plainIp } from "../linux/peer.ts";

/**
 * By ECS field the path of its value, or several, of which the first that has a value counts. A path is dotted; a number picks a member of an
 * array, and a path through an array of objects gives the values of all of them.
 */
export type Mapping = { readonly [field: string]: string | readonly string[] };

/** What a mapping does to one document. */
export type Mapper = (object: JsonObject, fields: Fields) => void;

type Put = (fields: Fields, field: string, value: JsonValue) => boolean;

/** How a mapping gets at what stands at a path. */
export type Reach = (path: string) => (object: JsonObject) => JsonValue | undefined;
/** Into the document itself. */
export const reachInto: Reach = (text) => {
  const where = path(text);
  return (object) => valueAt(object, where);
};

/** @param reach where documents are flattened anyway, `Paths.ask` spares going through them once more */
export function compileMapping(mapping: Mapping, reach: Reach = reachInto): Mapper {
  const steps = Object.entries(mapping).map(([field, paths]) => ({
    field,
    put: putFor(field),
    values: (typeof paths === "string" ? [paths] : paths).map(reach),
  }));
  return (object, fields) => {
    for (let i = 0; i < steps.length; i++) {
      const { field, put, values } = steps[i]!;
      for (let k = 0; k < values.length; k++) {
        const value = values[k]!(object);
        if (value !== undefined && put(fields, field, value)) break;
      }
    }
  };
}

/** Sets one field to a value in the type ECS gives it; false where the value is of no use there (absent, empty, `-`, no address, no number). */
export function putField(fields: Fields, field: string, value: JsonValue | undefined): boolean {
  return value !== undefined && putFor(field)(fields, field, value);
}

const addresses = /(?:^|[._])ip$/;
const numbers = /(?:^|\.)(?:port|bytes|packets|pid|status_code|exit_code|size|severity|duration|ttl|as\.number)$/;
const truths = /(?:^|\.)(?:established|resumed|recursive)$/;

/** Fields are named by formats and settings, not by what comes in. */
const known = new Map<string, Put>();

function putFor(field: string): Put {
  let put = known.get(field);
  if (put === undefined) {
    put = putOf(field);
    known.set(field, put);
  }
  return put;
}

function putOf(field: string): Put {
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
