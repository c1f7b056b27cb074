/** Checks what the schema leaves to components: sources, endpoints and detectors against their own specifications. */
import { everyBatchWithinQuota, type Quota } from "@vedette/cluster";
import { detectors } from "@vedette/detect";
import { enrichers } from "@vedette/enrich";
import { endpoints, sources } from "@vedette/ingest";
import type { Counters } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import type { ConfiguredSource } from "@vedette/pipeline";
import { z } from "zod";
import { describe, type Loaded } from "./load.ts";
import { nearest } from "./nearest.ts";
import { checkSinks } from "./sinks.ts";

/** One line a mistake, with place and suggestion; empty when all is well. */
export async function checkComponents(loaded: Loaded): Promise<readonly string[]> {
  const { config, place } = loaded;
  const [types, known, rules, kinds, additions] = await Promise.all([sources(), formats(), detectors(), endpoints(), enrichers()]);
  const problems: string[] = [];
  const unknown = (path: readonly string[], word: string, list: readonly string[]) => {
    const near = nearest(word, list);
    problems.push(
      `${place(path)}: ${path.join(".")}: unknown "${word}"; ${near ? `did you mean "${near}"?` : `known: ${list.join(", ")}`}`,
    );
  };
  const check = (schema: z.ZodType, value: unknown, path: readonly string[]) => {
    const parsed = schema.safeParse(value ?? {});
    if (!parsed.success) problems.push(...parsed.error.issues.flatMap((i) => describe(i, place, schema, path)));
  };
  for (const [name, entry] of Object.entries(config.sources)) {
    const keys = Object.keys(entry).filter(isType);
    const { historical, quota } = entry;
    if (quota !== undefined) check(quotaSchema, quota, ["sources", name, "quota"]);
    if (historical !== undefined && typeof historical !== "boolean")
      problems.push(`${place(["sources", name, "historical"])}: sources.${name}.historical: expected true or false`);
    // whoever sends over HTTP needs no type here
    if (historical === true && keys.length === 0) continue;
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name))
      problems.push(`${place(["sources", name])}: sources.${name}: a source's name has letters, digits, "_", "-" and "."`);
    if (keys.length !== 1)
      problems.push(
        `${place(["sources", name])}: sources.${name}: expected exactly one type (${[...types.keys()].join(", ")}), found ${keys.length === 0 ? "none" : keys.join(", ")}`,
      );
    for (const type of keys) {
      const spec = types.get(type);
      if (spec) check(spec.config, entry[type], ["sources", name, type]);
      else unknown(["sources", name, type], type, [...types.keys()]);
    }
    const format = formatOf(entry["format"]);
    const spec = format === undefined ? undefined : known.get(format.format);
    if (format !== undefined && !spec) unknown(["sources", name, "format"], format.format, [...known.keys()]);
    else if (format?.formatConfig !== undefined) check(spec!.config, format.formatConfig, ["sources", name, "format", format.format]);
  }
  for (const [name, value] of Object.entries(config.enrich)) {
    const spec = additions.get(name);
    if (!spec) unknown(["enrich", name], name, [...additions.keys()]);
    else if (value !== false) check(spec.config, value, ["enrich", name]);
  }
  for (const [name, value] of Object.entries(config.detectors)) {
    const spec = rules.get(name);
    if (!spec) unknown(["detectors", name], name, [...rules.keys()]);
    else if (value !== false) check(spec.config, value, ["detectors", name]);
  }
  for (const [name, value] of Object.entries(config.endpoints)) {
    const spec = kinds.get(name);
    if (!spec) unknown(["endpoints", name], name, [...kinds.keys()]);
    else check(spec.config, value, ["endpoints", name]);
  }
  problems.push(...(await checkSinks(loaded)));
  return problems;
}

/** `format: NAME`, or with settings `format: {NAME: {…}}`. */
function formatOf(value: unknown): { readonly format: string; readonly formatConfig?: unknown } | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") return { format: String(value) };
  const [name = "", formatConfig] = Object.entries(value)[0] ?? [];
  return { format: name, formatConfig: formatConfig ?? {} };
}

const perSecond = (what: string) =>
  z.number().positive().optional().describe(`Most ${what} a second on average; ten seconds' worth may come at once.`);
const quotaSchema = z.strictObject({ events_per_second: perSecond("events"), bytes_per_second: perSecond("bytes of records") });

function quotaOf(value: unknown): Quota | undefined {
  if (value === undefined) return undefined;
  const { events_per_second, bytes_per_second } = quotaSchema.parse(value);
  return { eventsPerSecond: events_per_second, bytesPerSecond: bytes_per_second };
}

/**
 * The configured sources as the runtime takes them; call after `checkComponents` found nothing wrong.
 * @param counters where their quotas are counted; who runs none of them needs none
 */
export function configuredSources({ config }: Loaded, counters?: Counters): readonly ConfiguredSource[] {
  return Object.entries(config.sources).flatMap(([name, entry]) => {
    const type = Object.keys(entry).find(isType);
    if (type === undefined) return [];
    const quota = quotaOf(entry["quota"]);
    const limit = counters && quota && everyBatchWithinQuota(counters, `source ${name}`, `source ${name}'s`, quota);
    return [{ name, type, config: entry[type], ...formatOf(entry["format"]), ...(limit && { limit }) }];
  });
}

/** Sources whose events are of the past. */
export function historicalSources({ config }: Loaded): ReadonlySet<string> {
  return new Set(Object.entries(config.sources).flatMap(([name, entry]) => (entry["historical"] === true ? [name] : [])));
}

/** What stands beside a source's type. */
const isType = (key: string): boolean => key !== "format" && key !== "historical" && key !== "quota";
