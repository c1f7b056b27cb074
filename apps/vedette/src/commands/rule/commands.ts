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
    .action(async (paths: string[], o) => (await import("./test.ts")).test(paths, o));
  rule
    .command("lint")
    .description("check that rules load, and say why those that do not are refused")
    .argument("[paths...]", "rule files or folders (default content/rules)")
    .addOption(report())
    .addOption(json())
    .action(async (paths: string[], o) => (await import("./lint.ts")).lint(paths, o));
}
