/** Finds the files of rules, field mappings and lists of indicators: those bundled with the program and those the configuration names. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { csvRows } from "@vedette/enrich";
import { ConfigError } from "@vedette/kit";
import type { Program, ProgramFile } from "@vedette/pipeline";

/** The repository's content/ in a clone, the package's own copy when installed. */
export const contentDirectory = (): string => {
  for (const candidate of ["../../../content", "../content"]) {
    const path = fileURLToPath(new URL(candidate, import.meta.url));
    try {
      if (statSync(join(path, "rules")).isDirectory()) return path;
    } catch {
      // the other place
    }
  }
  throw new ConfigError("rule_invalid", "the bundled content/ folder is missing from this installation");
};

/** Every *.yml below a path, or the file itself; names are relative to `path`'s parent so that they read well in messages. */
export function yamlFiles(path: string): ProgramFile[] {
  let entries: string[];
  try {
    entries = statSync(path).isDirectory() ? readdirSync(path, { recursive: true }).map((f) => join(path, String(f))) : [path];
  } catch (e) {
    throw new ConfigError(
      "rule_invalid",
      `${path}: ${(e as NodeJS.ErrnoException).code === "ENOENT" ? "no such file or folder" : (e as Error).message}`,
    );
  }
  const found = entries
    .filter((f) => /\.ya?ml$/.test(f))
    .sort()
    .map((f) => ({ file: relative(process.cwd(), f) || f, text: readFileSync(f, "utf8") }));
  if (found.length === 0 && entries[0] === path)
    throw new ConfigError("rule_invalid", `${path}: expected a file that ends in .yml, or a folder`);
  return found;
}

/** As `yamlFiles`, of all that somebody named. @throws ConfigError `rule_invalid` where none of it is a file of rules */
export function namedRules(paths: readonly string[]): ProgramFile[] {
  const files = paths.flatMap(yamlFiles);
  if (files.length === 0) throw new ConfigError("rule_invalid", `${paths.join(", ")}: no rule file (*.yml) in it`);
  return files;
}

export const bundledRules = (): ProgramFile[] => yamlFiles(join(contentDirectory(), "rules")).map((f) => named(f, "rules"));
export const bundledPipelines = (): ProgramFile[] => yamlFiles(join(contentDirectory(), "pipelines")).map((f) => named(f, "pipelines"));

/** What the bundled rules leave to lists of content/intel: a row is a placeholder, one value of it, and a note for people. */
export function bundledPlaceholders(): NonNullable<Program["placeholders"]> {
  const directory = join(contentDirectory(), "intel");
  const found: { [name: string]: string[] } = {};
  for (const name of readdirSync(directory)
    .filter((f) => f.endsWith(".csv"))
    .sort()) {
    const [header, ...rows] = csvRows(readFileSync(join(directory, name), "utf8"));
    if (header?.cells.join() !== "placeholder,value,note")
      throw new ConfigError("rule_invalid", `content/intel/${name}: expected columns placeholder,value,note`);
    for (const { cells, line } of rows) {
      const [placeholder, value] = cells;
      if (!placeholder || !value)
        throw new ConfigError("rule_invalid", `content/intel/${name}:${line}: expected a placeholder and a value`);
      found[placeholder] ??= [];
      found[placeholder].push(value);
    }
  }
  return found;
}

/** Bundled files are named from content/ on, wherever the program is installed: the name is part of the program's hash. */
function named({ file, text }: ProgramFile, folder: string): ProgramFile {
  const at = file.lastIndexOf(`${folder}/`);
  return { file: `content/${at < 0 ? file : file.slice(at)}`, text };
}
