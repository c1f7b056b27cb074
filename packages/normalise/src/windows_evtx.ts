/** Reads Windows events as EVTX-to-JSON tools print them: the event log's own XML, attributes under `#attributes` or beside the element. Knows no event code. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import { isObject } from "./json/parse.ts";
import { parseAnyTime, parseRfc3339 } from "./time/parse.ts";
import { putDatum, textOf, WindowsRecord, wholeOf } from "./windows_record.ts";

/** Level numbers of the event log; 0 (always logged) is what audit events carry. Source: winmeta.xml. */
const levels = ["information", "critical", "error", "warning", "information", "verbose"];

/** The name of a numeric level; undefined for one that Windows does not define. */
export const levelName = (value: JsonValue | undefined): string | undefined => {
  const level = wholeOf(value);
  return level === undefined ? undefined : levels[level];
};

/** The document's `{Event: {System: {…}}}`, or Velociraptor's `{System: {…}}`: evtx_dump's JSON array puts it below `data`, Chainsaw's hunts below `document.data`. */
function eventOf(object: JsonObject): JsonObject | undefined {
  const document = object["document"];
  const data = isObject(document) ? document["data"] : object["data"];
  const event = object["Event"] ?? (isObject(data) ? data["Event"] : undefined) ?? object;
  return isObject(event) && isObject(event["System"]) && event["System"]["EventID"] !== undefined ? event : undefined;
}

export const isEvtx = (object: JsonObject): boolean => eventOf(object) !== undefined;

/** An attribute of an element, whether a tool prints attributes apart (`#attributes`), with `@` in front, or as plain members. */
function attribute(element: JsonValue | undefined, name: string): JsonValue | undefined {
  if (!isObject(element)) return undefined;
  const attributes = element["#attributes"];
  return (isObject(attributes) ? attributes[name] : undefined) ?? element[name] ?? element[`@${name}`];
}

/** As `attribute`, of an element of `System`: Chainsaw, and evtx_dump when asked to, print the attributes beside the element. */
const attributeOf = (system: JsonObject, element: string, name: string): JsonValue | undefined =>
  attribute(system[element], name) ?? attribute(system[`${element}_attributes`], name);

/** The document must be one for which `isEvtx` holds. */
export function readEvtx(object: JsonObject): WindowsRecord {
  const event = eventOf(object)!;
  const system = event["System"] as JsonObject;
  const record = new WindowsRecord();
  record.channel = textOf(system["Channel"]);
  record.provider = textOf(attributeOf(system, "Provider", "Name"));
  const code = system["EventID"];
  record.code = textOf(code) ?? (isObject(code) ? textOf(code["Value"]) : undefined);
  record.computer = textOf(system["Computer"]);
  record.recordId = wholeOf(textOf(system["EventRecordID"]));
  record.keywords = textOf(system["Keywords"]);
  record.level = levelName(system["Level"]);
  record.writerPid = wholeOf(attributeOf(system, "Execution", "ProcessID"));
  record.writerSid = textOf(attributeOf(system, "Security", "UserID"));
  const stamp = attributeOf(system, "TimeCreated", "SystemTime");
  record.time = typeof stamp === "string" ? parseRfc3339(stamp) : parseAnyTime(stamp);
  readData(record, event["EventData"]);
  readData(record, event["UserData"]);
  const rendering = event["RenderingInfo"];
  record.message = isObject(rendering) ? textOf(rendering["Message"]) : undefined;
  return record;
}

function readData(record: WindowsRecord, data: JsonValue | undefined): void {
  if (!isObject(data)) return;
  for (const name in data) {
    if (name === "#attributes" || name.endsWith("_attributes")) continue;
    const value = data[name];
    const unnamed = name === "Data" && isObject(value) ? value["#text"] : value;
    if (name === "Data" && Array.isArray(unnamed) && unnamed.every(isNamed)) {
      for (const one of unnamed as readonly JsonObject[]) putDatum(record, String(attribute(one, "Name")), textOf(one));
    } else putDatum(record, name, unnamed);
  }
}

/** `{"#attributes": {"Name": …}, "#text": …}`: how generic XML converters print named data. */
const isNamed = (value: JsonValue): boolean => isObject(value) && typeof attribute(value, "Name") === "string";
