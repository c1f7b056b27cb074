/** Names, options and help of `vedette hold` and `vedette erase`, what stays and what goes; their code is loaded only when it runs. */
import type { Command } from "commander";
import { json, output, range, server } from "../options.ts";

const rows = (c: Command) => server(c).addOption(output()).addOption(json());
const why = "--reason <text>";

export function addHoldCommands(cli: Command): void {
  const hold = cli.command("hold").description("keep the events of a case, whatever their age, until the hold is released");
  range(rows(hold.command("add").description("hold the evidence of alerts, or what a query finds in a range").argument("[alert...]")))
    .option("--query <query>", "also what this finds; with --since or --from and --to")
    .requiredOption(why, "why; kept with the hold and in the audit trail")
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette hold add Jk3xQ0aZ1bC2dE4fG5hI6j --query user.name:mallory --since 30d --reason 'case 2026-17'",
    )
    .action(async (alerts: string[], o) => (await import("./hold.ts")).add(alerts, o));
  rows(hold.command("list").description("holds in force"))
    .option("--all", "the released ones too")
    .action(async (o) => (await import("./hold.ts")).list(o));
  const erase = cli
    .command("erase")
    .description("take what is stored of somebody or something away for good; without --yes, say what that would come to")
    .argument("<query>", "whom or what, e.g. user.name:mallory");
  range(rows(erase))
    .requiredOption(why, "why; kept with the erasure, in tombstones and in the audit trail")
    .option("--audit", "also the content of records of the audit trail: a signed tombstone stays in each place")
    .option("--yes", "do it")
    .addHelpText("after", "\nExample:\n  $ vedette erase user.name:mallory --reason 'request 2026-4 of the person' --yes")
    .action(async (q: string, o) => (await import("./erase.ts")).erase(q, o));
  rows(cli.command("erasures").description("erasures that were begun, and how they went")).action(async (o) =>
    (await import("./erase.ts")).list(o),
  );
  server(hold.command("release").description("let retention have the events again").argument("<id>"))
    .requiredOption(why, "why; kept with the hold and in the audit trail")
    .action(async (id: string, o) => (await import("./hold.ts")).release(id, o));
}
