/** Mappings that the configuration declares for documents, rows and pairs of any kind: where the time is, what a value means in ECS, what is always so. */
import { type DecodeContext, type Decoded, type JsonObject, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { compileMapping } from "./ecs/mapping.ts";
import { relate } from "./ecs/related.ts";
import { Paths } from "./json/flatten.ts";
import { minutesOf, utcOffset } from "./time/offset.ts";
import { parseAnyTime } from "./time/parse.ts";
import { clfDate } from "./time/stamps.ts";

const field = z
  .string()
  .min(1)
  .max(256)
  .refine((name) => name !== "vedette" && !name.startsWith("vedette."), "vedette.… is what Vedette itself says about an event")
  .refine((name) => name !== "__proto__", "no field of an event");
const paths = z.union([z.string().min(1).max(512), z.array(z.string().min(1).max(512)).min(1).max(16)]);

/** The settings that say what values mean. */
export const declaredMapping = z.strictObject({
  time: z
    .array(z.string().min(1).max(512))
    .max(16)
    .default([])
    .describe("Paths that may hold the time, the first that does counts; where none is named, the usual names are tried."),
  utc_offset: utcOffset.describe("Zone of stamps that name none, as +hh:mm or -hh:mm."),
  map: z
    .record(field, paths)
    .default({})
    .describe("By ECS field the path of its value, or several, of which the first with a value counts: {source.ip: client.address}."),
  set: z
    .record(field, z.union([z.string().max(1_024), z.number(), z.boolean()]))
    .default({})
    .describe("Fields that always have this value: {event.category: network}."),
  prefix: z
    .string()
    .max(128)
    .regex(/^(?!vedette\.)(?:[\w-]+\.)*$/)
    .default("")
    .describe("Put before the names under which all values are kept; ends with a dot."),
});
export type DeclaredMapping = z.output<typeof declaredMapping>;

/** Where documents usually have their time, most telling first. */
export const usualTimes = ["@timestamp", "timestamp", "time", "ts", "eventTime", "datetime", "date", "_time"];
/** Where they usually have their line. */
export const usualMessages = ["message", "msg", "log", "MESSAGE"];

const zoned = /(?:[zZ]|[+-]\d\d:?\d\d)$/;

/** Reads a document or row into `fields` as declared. */
export function declaredReader(
  config: DeclaredMapping,
  dataset: string,
): (object: JsonObject, fields: Fields, context: DecodeContext) => Decoded {
  const paths = new Paths(config.prefix, config.prefix === "" ? ["@timestamp"] : []);
  const map = compileMapping(config.map, (path) => paths.ask(path));
  const times = (config.time.length > 0 ? config.time : usualTimes).map((path) => paths.ask(path));
  const offset = minutesOf(config.utc_offset) * 60_000_000;
  const constants = Object.entries(config.set);
  return (object, fields) => {
    fields["event.kind"] = "event";
    fields["event.dataset"] = dataset;
    const message = fields["message"] === undefined ? messageOf(object, config.prefix) : undefined;
    paths.flatten(object, fields, config.prefix === "" ? message : undefined);
    if (message !== undefined) fields["message"] = object[message] as string;
    let time: number | undefined;
    for (const timeAt of times) {
      const value = timeAt();
      time = parseAnyTime(value) ?? (typeof value === "string" ? clfDate(value, 0, value.length) : undefined);
      if (time === undefined) continue;
      if (typeof value === "string" && value.includes("-") && !zoned.test(value)) time -= offset;
      break;
    }
    map(object, fields);
    for (const [name, value] of constants) fields[name] = value;
    relate(fields);
    return { time, fields };
  };
}

/** Which member is the line; undefined where there is none, or where it becomes `message` as it is. */
function messageOf(object: JsonObject, prefix: string): string | undefined {
  const told = object["message"];
  if (prefix === "" && told !== undefined && told !== null && (typeof told !== "object" || Array.isArray(told))) return undefined;
  return usualMessages.find((one) => typeof object[one] === "string");
}
