/** What the configuration leaves to rules that are read without a server: placeholders, and which rule files are the site's. Knows no rule. */
import type { Program, ProgramFile } from "@vedette/pipeline";
import { bundledRules, yamlFiles } from "../content.ts";
import { loadConfig } from "./load.ts";
import type { Config } from "./schema.ts";

export interface SiteOptions {
  /** Else vedette.yaml, if there is one. */
  readonly config?: string;
}

export const placeholdersOf = ({ config }: SiteOptions): NonNullable<Program["placeholders"]> =>
  loadConfig(config, process.env).config.sigma.placeholders;

/** The bundled rules unless they are turned off, and the folders that the configuration names. */
export const configuredRules = ({ rules }: Pick<Config, "rules">): ProgramFile[] => [
  ...(rules.starter ? bundledRules() : []),
  ...rules.directories.flatMap(yamlFiles),
];
