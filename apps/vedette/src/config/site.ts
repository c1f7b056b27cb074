/** What the configuration leaves to rules that are read without a server: placeholders, and which rule files are the site's. Knows no rule. */
import type { Program, ProgramFile } from "@vedette/pipeline";
import { bundledPlaceholders, bundledRules, yamlFiles } from "../content.ts";
import { loadConfig } from "./load.ts";
import type { Config } from "./schema.ts";

export interface SiteOptions {
  /** Else vedette.yaml, if there is one. */
  readonly config?: string;
}

export const placeholdersOf = (options: SiteOptions): NonNullable<Program["placeholders"]> => siteOf(options).placeholders;

/** What the site's rules are read with: values for placeholders, and the detectors whose findings correlations may take. */
export interface Site {
  readonly placeholders: NonNullable<Program["placeholders"]>;
  readonly detectors: Program["detectors"];
}
export function siteOf(options: SiteOptions): Site {
  const { config } = loadConfig(options.config, process.env);
  return { placeholders: configuredPlaceholders(config), detectors: config.detectors };
}

/** What rules with |expand are read with: the bundled lists, and the site's own values, which take the place of a list of the same name. */
export const configuredPlaceholders = ({ sigma }: Pick<Config, "sigma">): NonNullable<Program["placeholders"]> => ({
  ...bundledPlaceholders(),
  ...sigma.placeholders,
});

/** Whether a file holds cases of a detector: `rule test` runs it, and whatever takes rules leaves it out. */
export const isDetectorCases = ({ text }: ProgramFile): boolean =>
  /^detector:/m.test(text) && !/^(?:detection|correlation|filter):/m.test(text);

/** The bundled rules unless they are turned off, and the folders that the configuration names. */
export const configuredRules = ({ rules }: Pick<Config, "rules">): ProgramFile[] => [
  ...(rules.starter ? bundledRules() : []),
  ...rules.directories.flatMap(yamlFiles).filter((file) => !isDetectorCases(file)),
];
