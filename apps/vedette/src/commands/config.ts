/** `vedette config validate|show|schema`. */
import { ConfigError, jsonText } from "@vedette/kit";
import { z } from "zod";
import { checkComponents } from "../config/components.ts";
import { loadConfig } from "../config/load.ts";
import { configSchema, isUnused, secretKeys } from "../config/schema.ts";
import { listenAddress } from "../listen.ts";
import { counted } from "../output.ts";

interface Options {
  readonly config?: string;
  readonly json?: boolean;
}

export async function validate(options: Options): Promise<void> {
  const loaded = loadConfig(options.config, process.env);
  const problems = [...(await checkComponents(loaded))];
  try {
    listenAddress(loaded);
  } catch (e) {
    problems.push((e as Error).message);
  }
  if (problems.length > 0) throw new ConfigError("config_invalid", problems.join("\n"));
  process.stderr.write(
    `${loaded.file ?? "defaults and environment"}: fine (${counted(Object.keys(loaded.config.sources).length, "source")})\n`,
  );
}

export async function show(options: Options): Promise<void> {
  const { config, origins } = loadConfig(options.config, process.env);
  const rows = flatten(config).map(([key, value]) => ({
    key,
    value: secretKeys.has(key) && value !== undefined ? "(set, not shown)" : value,
    from: origins.get(key) ?? "file or default",
  }));
  if (options.json) return void process.stdout.write(`${jsonText(rows, 2)}\n`);
  for (const { key, value, from } of rows) {
    const note = isUnused(key.split(".")[0]!, config) ? "  # read only by a driver that is not selected" : "";
    process.stdout.write(`${key} = ${jsonText(value)}  # ${from}${note && ";"}${note.slice(3)}\n`);
  }
}

export function schema(): void {
  process.stdout.write(`${jsonText(z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }), 2)}\n`);
}

function flatten(value: unknown, prefix = ""): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[prefix, value]];
  const entries = Object.entries(value);
  if (entries.length === 0) return prefix === "" ? [] : [[prefix, {}]];
  return entries.flatMap(([k, v]) => flatten(v, prefix === "" ? k : `${prefix}.${k}`));
}
