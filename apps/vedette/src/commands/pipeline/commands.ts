/** Names, options and help of every `vedette pipeline` subcommand, and of `enrich` and `reveal`; the code is loaded only when it runs. */
import { type Command, Option } from "commander";
import { configFile as file, json, output, server } from "../../options.ts";

const report = () => new Option("-o, --output <form>", "report").choices(["table", "json", "junit", "sarif"]).default("table");
const reason = "why; kept for ever";

export function addPipelineCommands(cli: Command): void {
  const pipeline = cli.command("pipeline").description("what events go through before rules see them: check, try, put in force");
  file(
    pipeline
      .command("test")
      .description("run the cases that pipelines carry under tests")
      .argument("[paths...]", "pipeline files or folders (default: those of the configuration)"),
  )
    .addOption(report())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette pipeline test pipelines")
    .action(async (paths: string[], o) => (await import("./offline.ts")).test(paths, o));
  file(
    pipeline
      .command("lint")
      .description("check that pipelines load, that steps stand in an order that works, and which rules would lose their data")
      .argument("[paths...]", "pipeline files or folders (default: those of the configuration)"),
  )
    .option("--strict", "warnings fail too")
    .addOption(report())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette pipeline lint --strict pipelines")
    .action(async (paths: string[], o) => (await import("./offline.ts")).lint(paths, o));
  server(
    pipeline
      .command("preview")
      .description("what pipelines would do to the newest 1,000 events of a running server; changes nothing")
      .argument("<paths...>", "pipeline files or folders"),
  )
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette pipeline preview pipelines/quiet.yml")
    .action(async (paths: string[], o) => (await import("./online.ts")).preview(paths, o));
  server(pipeline.command("list").description("pipelines of a running server, what each step left out, and rules that lose their data"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./online.ts")).list(o));
  server(pipeline.command("reload").description("have a running server read its pipelines again, as SIGHUP and a changed file do"))
    .requiredOption("--reason <text>", reason)
    .option("--yes", "although rules lose their data")
    .addOption(json())
    .action(async (o) => (await import("./online.ts")).reload(o));

  const enrich = cli.command("enrich").description("what is added to events, and the tables that it comes from");
  server(enrich.command("list").description("enrichers of a running server: state, table, rows"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("../enrich.ts")).list(o));
  server(
    enrich
      .command("put")
      .description("put a new version of an inventory in force, for what is taken in from now on")
      .argument("<name>", "assets or identities")
      .argument("<file>", "CSV with a header line, or a JSON array of objects"),
  )
    .option("--reason <text>", reason)
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette enrich put assets hosts.csv --reason 'weekly export'")
    .action(async (name: string, path: string, o) => (await import("../enrich.ts")).put(name, path, o));
  server(enrich.command("remove").description("take an inventory out of force").argument("<name>"))
    .option("--reason <text>", reason)
    .action(async (name: string, o) => (await import("../enrich.ts")).remove(name, o));
  server(enrich.command("reload").description("have a running server read its inventories' and databases' files again"))
    .requiredOption("--reason <text>", reason)
    .action(async (o) => (await import("../enrich.ts")).reload(o));

  server(cli.command("reveal").description("the text behind a pseudonym; who asked and why is on record").argument("<pseudonym>"))
    .requiredOption("--reason <text>", reason)
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette reveal pn_3vX… --reason 'incident 42: whose account was it'")
    .action(async (pseudonym: string, o) => (await import("../enrich.ts")).reveal(pseudonym, o));
}
