/** Hands a JSON document to the format that claims it, or flattens it as it is. Knows formats only by their claims. */
import type { DecodeContext, Decoded, DecodeResult, JsonKind, JsonObject } from "@vedette/kit";
import { newFields } from "@vedette/kit";
import { loadedFormats } from "../registry.ts";
import { parseAnyTime } from "../time/parse.ts";
import { flatten } from "./flatten.ts";

/** One per stream: remembers who claimed the last document, which then is asked first. */
export type JsonDispatch = (object: JsonObject, text: string, context: DecodeContext) => DecodeResult;

/** Claims from this certainty on count (see `JsonKind.claims`). */
const claim = 0.5;

/** A dispatch over all formats that read JSON documents. The remembered claimant changes the speed only, never who gets a document. */
export function jsonDispatch(): JsonDispatch {
  let kinds: readonly JsonKind[] | undefined;
  let last: JsonKind | undefined;
  return (object, text, context) => {
    if (last !== undefined && last.claims(object, context) === 1) return last.decode(object, text, context);
    kinds ??= [...loadedFormats().values()].flatMap((format) => (format.json === undefined ? [] : [format.json]));
    let best: JsonKind | undefined;
    let sure = 0;
    for (const kind of kinds) {
      const certainty = kind.claims(object, context);
      if (certainty >= claim && certainty > sure) {
        best = kind;
        sure = certainty;
      }
    }
    last = best;
    return best === undefined ? decodePlain(object) : best.decode(object, text, context);
  };
}

/** Where a document nobody knows may keep its time, most telling first. */
const timeKeys = ["@timestamp", "timestamp", "time", "ts", "eventTime", "datetime", "date", "_time"];
/** Where it may keep its line. */
const messageKeys = ["message", "msg", "log", "MESSAGE"];

/** A document of no known kind: every value under its path, its time and message where they usually are. */
function decodePlain(object: JsonObject): Decoded {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.dataset"] = "json";
  flatten(object, fields);
  let time: number | undefined;
  for (const key of timeKeys) {
    time = parseAnyTime(object[key]);
    if (time !== undefined) break;
  }
  delete fields["@timestamp"];
  if (fields["message"] === undefined) {
    const key = messageKeys.find((one) => typeof object[one] === "string");
    if (key !== undefined) {
      fields["message"] = object[key] as string;
      delete fields[key];
    }
  }
  return { time, fields };
}
