/** Names, options and help of every `vedette rule` subcommand, one file each beside this one; its code is loaded only when it runs. */
import { type Command, Option } from "commander";
import { json } from "../../options.ts";

/** How a check of rules is reported. */
const report = () => new Option("-o, --output <form>", "report").choices(["table", "json", "junit", "sarif"]).default("table");

export function addRuleCommands(rule: Command): void {
  rule
    .command("test")
    .description("run the cases that rules carry under vedette.tests")
    .argument("[paths...]", "rule files or folders (default content/rules)")
    .addOption(report())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule test my-rules -o junit > rules.xml")
    .action(async (paths: string[], o) => (await import("./test.ts")).test(paths, o));
  rule
    .command("lint")
    .description("check that rules load and make sense: refusals, unknown fields, selections without use, rules too broad, what is missing")
    .argument("[paths...]", "rule files or folders (default content/rules)")
    .option("--strict", "warnings fail too")
    .addOption(report())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule lint --strict my-rules -o sarif > lint.sarif")
    .action(async (paths: string[], o) => (await import("./lint.ts")).lint(paths, o));
  rule
    .command("schema")
    .description("JSON Schema of a rule file with Vedette's keys, for editors")
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette rule schema > rule.schema.json   # then, in a rule: # yaml-language-server: $schema=rule.schema.json",
    )
    .action(async () => (await import("./schema.ts")).schema());
}
