/** The rule files and field mappings that a `vedette rule` command works on. */
import { join } from "node:path";
import type { ProgramFile } from "@vedette/pipeline";
import { type Pipeline, parsePipeline, type Refusal } from "@vedette/sigma";
import { bundledPipelines, contentDirectory, namedRules } from "../../content.ts";

/** Every rule file below the paths; the bundled ones where none is given. */
export function ruleFiles(paths: readonly string[]): ProgramFile[] {
  return namedRules(paths.length > 0 ? paths : [join(contentDirectory(), "rules")]);
}

let loaded: (Pipeline | Refusal)[] | undefined;
/** The bundled field mappings, parsed once. */
export function pipelines(): readonly (Pipeline | Refusal)[] {
  loaded ??= bundledPipelines().map(({ file, text }) => parsePipeline(text, file));
  return loaded;
}
