/** Reads the third-party rules and events beside the repository, for tests only; they are absent in most checkouts. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { FieldValue, Readable } from "@vedette/condition";
import { type Pipeline, parsePipeline } from "./pipeline.ts";

const shared = process.env["VEDETTE_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
const pipelines = fileURLToPath(new URL("../../../content/pipelines/", import.meta.url));

/** A set's folder, or undefined where the checkout has none (then tests skip). */
export function sharedSet(name: string): string | undefined {
  const path = join(shared, "data", name);
  return existsSync(path) ? path : undefined;
}

export function readJsonLines<T>(path: string): T[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as T]));
}

/** The pipelines we ship. */
export function shippedPipelines(): Pipeline[] {
  return readdirSync(pipelines).map((name) => {
    const pipeline = parsePipeline(readFileSync(join(pipelines, name), "utf8"), name);
    if ("construct" in pipeline) throw new Error(pipeline.message);
    return pipeline;
  });
}

/** SigmaHQ's rule files, by folder: those in force (`rules*`), or with the deprecated and unsupported. */
export function sigmaHqTexts(set: string, folders: RegExp): { readonly file: string; readonly text: string }[] {
  const folder = mkdtempSync(join(tmpdir(), "sigma-rules-"));
  execFileSync("tar", ["-xJf", join(set, "rules.tar.xz"), "-C", folder]);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".yml") && folders.test(f));
  const texts = files.sort().map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
  execFileSync("rm", ["-r", folder]);
  return texts;
}

type Json = { readonly [key: string]: unknown };
const record = (value: unknown): Json => (value !== null && typeof value === "object" ? (value as Json) : {});

/** A decoded EVTX record in the fields that the Windows formats give. */
export function evtxEvent(document: unknown): Readable {
  const event = record(record(document)["Event"]);
  const system = record(event["System"]);
  const code = system["EventID"];
  const fields = header(
    system["Channel"],
    typeof code === "object" ? record(code)["#text"] : code,
    record(record(system["Provider"])["#attributes"])["Name"],
    system["Computer"],
  );
  const level = ["information", "critical", "error", "warning", "information", "verbose"][Number(system["Level"])];
  if (level !== undefined) fields["log.level"] = level;
  addData(fields, record(event["EventData"]));
  for (const data of Object.values(record(event["UserData"]))) addData(fields, record(data));
  return { fields };
}

function header(channel: unknown, code: unknown, provider: unknown, computer: unknown): { [field: string]: FieldValue | undefined } {
  const fields: { [field: string]: FieldValue | undefined } = Object.create(null);
  fields["event.dataset"] = "windows.other";
  fields["winlog.channel"] = String(channel);
  fields["event.code"] = String(code);
  fields["winlog.provider_name"] = String(provider);
  fields["winlog.computer_name"] = String(computer);
  return fields;
}

/** Names lose their spaces; unnamed data are `Data`; attributes of the XML are left out. */
function addData(fields: { [field: string]: FieldValue | undefined }, data: Json): void {
  for (const [name, value] of Object.entries(data)) {
    if (name.startsWith("#") || value === null) continue;
    const texts = (Array.isArray(value) ? value : [value]).flatMap((v): unknown[] =>
      typeof v === "object" ? [record(v)["#text"]].flat() : [v],
    );
    const scalars = texts.filter((v) => v !== undefined && v !== null).map(String);
    fields[`winlog.event_data.${name.replace(/[^\p{L}\p{N}_-]/gu, "")}`] = scalars.length === 1 ? scalars[0]! : scalars;
  }
}
