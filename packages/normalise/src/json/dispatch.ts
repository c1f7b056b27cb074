/** Hands a JSON document to the format that claims it, or flattens it as it is. Knows formats only by their claims. */
import type { DecodeContext, Decoded, DecodeResult, JsonKind, JsonObject } from "@vedette/kit";
import { newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { declaredMapping, declaredReader } from "../declared.ts";
import { claimantOf } from "./claimant.ts";

/** One per stream: remembers who claimed the last document, which then is asked first. */
export type JsonDispatch = (object: JsonObject, text: string, context: DecodeContext) => DecodeResult;

/** How a document is read that no format claims. */
type Unclaimed = (object: JsonObject, fields: Fields, context: DecodeContext) => Decoded;
const plain: Unclaimed = declaredReader(declaredMapping.parse({}), "json");

/** A dispatch over all formats that read JSON documents. The remembered claimant changes the speed only, never who gets a document. */
export function jsonDispatch(unclaimed: Unclaimed = plain): JsonDispatch {
  let last: JsonKind | undefined;
  return (object, text, context) => {
    if (last !== undefined && last.claims(object, context) === 1) return last.decode(object, text, context);
    last = claimantOf(object, context);
    return last === undefined ? unclaimed(object, newFields(), context) : last.decode(object, text, context);
  };
}
