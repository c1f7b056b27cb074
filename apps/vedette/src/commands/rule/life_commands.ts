/** Names, options and help of the `vedette rule` subcommands that change what a running server judges by. */
import type { Command } from "commander";
import { json, output, server } from "../../options.ts";

const source = (c: Command) =>
  c
    .option("--commit <rev>", "this commit of a git repository; of a URL the whole id")
    .option("--path <folder>", "only the rules below this folder of it");
const consent = (c: Command) =>
  c
    .option("--without-refused", "put the rest in force where rules are refused")
    .option("--force", "past the gate, whatever it would raise or cost")
    .option("--yes", "although less is covered");
const responsible = (c: Command) =>
  c.option("--owner <name>", "who looks after it").option("--review <date>", "day by which it should be looked at again, YYYY-MM-DD");

export function addLifeCommands(rule: Command): void {
  server(rule.command("list"))
    .description("rules of a running server: state, counts, cost, who decided, and which promotions are proposed")
    .option("--state <states>", "enabled,shadow,quarantined,refused")
    .option("--proposed", "only rules on trial whose promotion is proposed")
    .option("--unknown-fields", "only rules that name fields no event is known to carry")
    .addOption(output())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule list --state shadow,refused")
    .action(async (o) => (await import("./list.ts")).list(o));
  server(rule.command("show").description("one rule of a running server with every decision on it").argument("<id>"))
    .addOption(json())
    .action(async (id: string, o) => (await import("./list.ts")).show(id, o));
  server(source(rule.command("pull")))
    .description(
      "bring a release of rules in from a folder, .zip, .tar.gz or git URL, and say what it would change; nothing is in force by it",
    )
    .argument("[from]", "folder, archive, or https://, ssh://, file:// URL of a git repository")
    .option("--pack <name>", "name of the pack that its rules belong to", "sigmahq")
    .option("--list", "what was brought in so far")
    .addOption(output())
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette rule pull sigma_core.zip\n  $ vedette rule pull https://github.com/SigmaHQ/sigma --path rules --commit 8eaafff…",
    )
    .action(async (from: string | undefined, o) => (await import("./pull.ts")).pull(from, o));
  server(source(rule.command("diff")))
    .description("what rules would change: of a folder, archive or commit, of a release, or of the configured folders as they are now")
    .argument("[from]", "folder, archive or git URL; the configured folders when absent")
    .option("--pack <name>", "the pack they are to replace", "local")
    .option("--release <hash>", "a release that was pulled")
    .option("--shadow", "as if applied on trial")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule diff my-rules\nExit code 1 when something would change.")
    .action(async (from: string | undefined, o) => (await import("./apply.ts")).diff(from, o));
  server(responsible(consent(source(rule.command("apply")))))
    .description("put rules in force, past a gate of volume and cost; without an argument the configured folders are read again")
    .argument("[from]", "folder, archive or git repository")
    .option("--pack <name>", "the pack they replace", "local")
    .option("--release <hash>", "a release that was pulled")
    .option("--remove", "take the pack out of force")
    .option("--shadow", "on trial: judged and counted, no alert")
    .option("--reason <text>", "why; kept in the history")
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette rule apply my-rules --commit v1.4 --owner soc --review 2027-06-30\nExit code 1 when something stands in the way: then nothing has changed.",
    )
    .action(async (from: string | undefined, o) => (await import("./apply.ts")).apply(from, o));
  server(rule.command("rollback"))
    .description("go back to an earlier version of the rules; what only the later ones had found is taken back")
    .argument("[version]", "its number; the one before when absent")
    .option("--reason <text>", "why; kept in the history")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette rule versions\n  $ vedette rule rollback 7 --reason 'too loud'")
    .action(async (to: string | undefined, o) => (await import("./apply.ts")).rollback(to, o));
  server(rule.command("versions").description("every version of the running rules: what changed it, who and why"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./apply.ts")).versions(o));
  addDecisions(rule);
}

function addDecisions(rule: Command): void {
  const decisions = [
    ["promote", "promote", "enable a rule that was on trial, if nothing is missing"],
    ["enable", "enabled", "enable a rule, past the gate"],
    ["shadow", "shadow", "put a rule on trial: judged and counted, no alert"],
    ["quarantine", "quarantined", "stop judging by a rule"],
    ["disable", "quarantined", "the same as quarantine"],
  ] as const;
  for (const [name, to, description] of decisions)
    server(responsible(rule.command(name).description(description).argument("<id>")))
      .requiredOption("--reason <text>", "why; kept in the history")
      .option("--force", "whatever stands in the way")
      .addHelpText(
        "after",
        `\nExample:\n  $ vedette rule ${name} 0f6b6a5e-1f0e-4c53-9d0e-6d1d3f1c9b7a --reason 'reviewed with the web team'`,
      )
      .action(async (id: string, o) => (await import("./decide.ts")).decide(id, to, o));
}
