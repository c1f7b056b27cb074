/** `vedette pipeline test|lint`: pipelines without a server. */
import { compileEventPipelines, type PipelineFile, runPipelineCases } from "@vedette/enrich";
import { ConfigError } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import { lossesOf, makeProgram } from "@vedette/pipeline";
import { loadConfig } from "../../config/load.ts";
import { configuredDetectors } from "../../config/networks.ts";
import type { Config } from "../../config/schema.ts";
import { configuredPlaceholders, configuredRules, type SiteOptions } from "../../config/site.ts";
import { bundledPipelines, yamlFiles } from "../../content.ts";
import { type Outcome, type ReportOptions, report } from "../rule/report.ts";

type Options = ReportOptions & SiteOptions;

export async function test(paths: readonly string[], options: Options): Promise<void> {
  const files = filesOf(paths, loadConfig(options.config, process.env).config);
  const cases = files.flatMap((file) =>
    runPipelineCases(file).map(
      ({ name, line, differences }): Outcome => ({
        ...headOf(file, line),
        check: "case",
        name,
        ok: differences.length === 0,
        message: differences.join("; "),
      }),
    ),
  );
  report([...refusals(files), ...cases], options, "cases");
}

export async function lint(paths: readonly string[], options: Options): Promise<void> {
  const { config } = loadConfig(options.config, process.env);
  const files = filesOf(paths, config);
  const outcomes = [...refusals(files)];
  for (const { file, tests } of compileEventPipelines(files, undefined).documents) {
    const head = { ...headOf({ file }, 1), name: "the whole file" };
    outcomes.push({ ...head, check: "loads", ok: true, message: "" });
    if (tests.length === 0)
      outcomes.push({ ...head, level: "warning", check: "no-case", ok: false, message: "it has no case under tests" });
  }
  const rules = configuredRules(config);
  const program = makeProgram(
    {
      rules,
      pipelines: bundledPipelines(),
      detectors: await configuredDetectors(config),
      lateness_s: config.engine.lateness_s,
      placeholders: configuredPlaceholders(config),
    },
    0,
  );
  for (const { title, how } of await lossesOf(files, program, await formats()))
    outcomes.push({
      ...headOf(files[0]!, 1),
      level: "warning",
      check: "lost-data",
      name: title,
      ok: false,
      message: `${title} loses its data: ${how === "changed" ? "what it asks for is changed" : how}`,
    });
  report(outcomes, options, "checks");
}

function filesOf(paths: readonly string[], { pipelines }: Pick<Config, "pipelines">): readonly PipelineFile[] {
  const files = (paths.length > 0 ? paths : pipelines.directories).flatMap(yamlFiles);
  if (files.length === 0) throw new ConfigError("pipeline_invalid", "no pipelines: name files or folders, or set pipelines.directories");
  return files;
}

const headOf = ({ file }: Pick<PipelineFile, "file">, line: number) => ({ file, line, column: 1, rule: file, level: "error" }) as const;

const refusals = (files: readonly PipelineFile[]): readonly Outcome[] =>
  compileEventPipelines(files, undefined).refused.map(({ file, line, column, message }) => ({
    file,
    line,
    column,
    rule: file,
    level: "error",
    check: "refused",
    name: "the whole file",
    ok: false,
    message,
  }));
