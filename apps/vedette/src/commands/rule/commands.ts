/** Names, options and help of every `vedette rule` subcommand, one file each beside this one; its code is loaded only when it runs. */
import { type Command, Option } from "commander";
import { json, output, range, server, site } from "../../options.ts";
import { addLifeCommands } from "./life_commands.ts";

/** How a check of rules is reported. */
const report = () => new Option("-o, --output <form>", "report").choices(["table", "json", "junit", "sarif"]).default("table");

/** Rules other than the bundled ones. */
const rules = (c: Command) =>
  c.option("--rules <dir>", "rule file or folder, may be repeated; the bundled rules when absent", (dir: string, all: string[] = []) => [
    ...all,
    dir,
  ]);

export function addRuleCommands(rule: Command): void {
  rule
    .command("new")
    .description("write a rule that is valid at once, with cases to fill with real lines; asks for what no option gives")
    .option(
      "--source <name>",
      "what it looks at: sshd, sudo, auditd, linux_process, windows_process, windows_security, zeek_conn, zeek_dns, web, cloudtrail",
    )
    .option("--title <text>", "what it finds")
    .addOption(
      new Option("--level <level>", "what a person should do")
        .choices(["informational", "low", "medium", "high", "critical"])
        .default("medium"),
    )
    .option("--technique <id>", "ATT&CK technique, e.g. T1021.004 (default: one typical of the source)")
    .option("--author <name>", "who wrote it (default: the user)")
    .option("--correlation", "that many of them within some minutes are what it finds: a rule and the correlation that counts it")
    .option("--out <path>", "folder, or file that ends in .yml (default: a file of the title's name here)")
    .addHelpText("after", "\nExample:\n  $ vedette rule new --source sshd --title 'Backup key used elsewhere' --technique T1021.004")
    .action(async (o) => (await import("./new.ts")).create(o));
  site(rule.command("test"))
    .description("run the cases that rules carry under vedette.tests, and files with cases of a detector")
    .argument("[paths...]", "rule files or folders (default content/rules)")
    .addOption(report())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule test my-rules -o junit > rules.xml")
    .action(async (paths: string[], o) => (await import("./test.ts")).test(paths, o));
  site(rule.command("lint"))
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
  server(rules(site(rule.command("explain"))))
    .description(
      "what a rule asks for; with an event, clause by clause what held, and the first clause that did not with the value it met; of a correlation, what its rules match and how far each key comes",
    )
    .argument("<rule>", "rule file, id or title")
    .argument("[events]", "file with events in any format, or - for standard input; a correlation takes all of them, in the order of time")
    .option("--event-id <id>", "an event that a running server has stored")
    .option("--record <n>", "which record of the file (default: the first that matches, else the nearest kind)")
    .option("--format <name>", "format of the file; detected when absent")
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette rule explain my-rules/backup_key.yml /var/log/auth.log\nExit code 1 when the event does not match.",
    )
    .action(async (wanted: string, path: string | undefined, o) => (await import("./explain.ts")).explain(wanted, path, o));
  range(server(rules(site(rule.command("cover")))))
    .description("how many rules can see data, and why the others cannot: over log files, or over what a server has stored")
    .argument("[logs...]", "log files or folders; a running server is asked when absent")
    .addOption(output())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule cover --rules sigma/rules /var/log\n  $ vedette rule cover --since 7d")
    .action(async (logs: string[], o) => (await import("./cover.ts")).cover(logs, o));
  rules(site(rule.command("bench")))
    .description("what rules cost over given files: events a second, and the slowest rules by name")
    .argument("<logs...>", "log files or folders")
    .option("--events <n>", "most events held in memory", "100000")
    .option("--top <n>", "slowest rules shown", "20")
    .addOption(output())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule bench --rules sigma/rules events.jsonl")
    .action(async (logs: string[], o) => (await import("./bench.ts")).bench(logs, o));
  range(server(site(rule.command("backtest"))))
    .description("what rules would have raised over the stored events: alerts a day, entities, cost; changes nothing")
    .argument("<rule>", "rule file or folder; or the id of a running rule or correlation, or a detector's name")
    .option("--estimate", "only say what it would come to")
    .option("--yes", "start without asking, however long it takes")
    .addOption(output())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule backtest my-rules/backup_key.yml --since 7d\nCtrl-C cancels.")
    .action(async (wanted: string, o) => (await import("./backtest.ts")).backtest(wanted, o));
  addLifeCommands(rule);
  server(rules(site(rule.command("prove"))))
    .description("prove that rules fire: each one's case goes through ingest, decoder, rules and triage as a canary that nobody sees")
    .argument("[ids...]", "rules by id (default: all)")
    .option("--offline", "through an engine made for it, with the bundled rules; so too with --rules")
    .addOption(output())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule prove --rules my-rules\nExit code 1 when a rule is silent.")
    .action(async (ids: string[], o) => (await import("./prove.ts")).prove(ids, o));
}
