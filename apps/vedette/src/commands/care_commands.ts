/** Names, options and help of what looks after an installation: `vedette top`, `doctor`, `support-dump`; their code is loaded only when it runs. */
import type { Command } from "commander";
import { configFile as file, json, server } from "../options.ts";

export function addCareCommands(cli: Command): void {
  server(cli.command("top").description("watch a running server: sources, rates, lag, what rules and detectors take, alerts, memory"))
    .option("--once", "one picture, then end")
    .option("--interval <seconds>", "between two pictures", "2")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette top\n  $ vedette top --once --json | jq .lag_ms\nq or Ctrl-C ends it.")
    .action(async (o) => (await import("./top.ts")).top(o));

  file(server(cli.command("doctor").description("check the installation and say what to do about what is wrong")))
    .addOption(json())
    .action(async (o) => (await import("./doctor.ts")).doctor(o));
  file(server(cli.command("support-dump").description("one archive for whoever helps: state and figures, no secrets, no events")))
    .option("-o, --output <file>", "where it goes (default vedette-support-TIME.tar.gz here)")
    .option("--unit <name>", "the service whose last log lines are taken from the journal", "vedette")
    .addHelpText("after", "\nExample:\n  $ vedette support-dump -o dump.tar.gz\nIt works without a running server too.")
    .action(async (o) => (await import("./support_dump.ts")).supportDump({ ...o, version: cli.version()! }));
}
