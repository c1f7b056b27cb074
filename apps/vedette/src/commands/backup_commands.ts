/** Names and help of `vedette backup` and `vedette restore`. Loaded at every start: it imports none of them. */
import type { Command } from "commander";
import { json, output, server } from "../options.ts";

const from = (c: Command) =>
  c
    .option("--from <dir>", "folder of backups (default: backup.to)")
    .option("--key-file <file>", "key that opens them: a copy of the installation's secret.key or key file, or the file of backup.key_file")
    .option("--config <file>", "configuration file (default vedette.yaml if there is one)");

export function addBackupCommands(cli: Command): void {
  const backup = server(
    cli
      .command("backup")
      .description("make a backup of a running or stopped installation; only what changed is read, and everything is sealed"),
  )
    .option("--to <dir>", "folder that it goes to, on the server's host (default: backup.to)")
    .option("--keep <n>", "keep the newest so many (default: backup.keep)")
    .option("--keep-days <n>", "and the last of each of so many days (default: backup.keep_days)")
    .option("--config <file>", "configuration file (default vedette.yaml if there is one)")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette backup --to /mnt/backup/vedette");
  const run = (name: "backup" | "list" | "verify" | "drill" | "status") => async (_o: object, c: Command) =>
    (await import("./backup.ts"))[name]({ ...c.optsWithGlobals(), version: cli.version()! });
  backup.action(run("backup"));
  from(backup.command("list").description("backups of a folder, oldest first"))
    .option("--data-dir <dir>", "data directory whose key opens them (VEDETTE_DATA; else ./data)")
    .addOption(output())
    .addOption(json())
    .action(run("list"));
  from(backup.command("verify").description("open and prove every object of backups, and name the files that damage reaches"))
    .option("--data-dir <dir>", "data directory whose key opens them (VEDETTE_DATA; else ./data)")
    .option("--at <id>", "one backup instead of all")
    .addOption(json())
    .addHelpText("after", "\nExit code 1 when something is damaged.")
    .action(run("verify"));
  server(from(backup.command("drill").description("restore the newest backup beside, and hold it against what was noted when it was made")))
    .addOption(json())
    .addHelpText("after", "\nExit code 1 when it does not restore as it should.")
    .action(run("drill"));
  server(backup.command("status").description("how scheduled backups went, of a running server")).addOption(json()).action(run("status"));

  cli
    .command("restore")
    .description("put a backup back into an empty data directory; a server may start on it before all events are there")
    .requiredOption("--from <dir>", "folder of backups")
    .requiredOption("--data-dir <dir>", "where to: an empty folder, or one that a restore was cut short in")
    .option("--at <time|id>", "a backup, or the newest at or before a time (RFC 3339); the newest when absent")
    .option("--key-file <file>", "key that opens it: a copy of the installation's secret.key or key file, or the file of backup.key_file")
    .option("--without-events", "leave sealed events out")
    .option("--config <file>", "configuration file (default vedette.yaml if there is one)")
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette restore --from /mnt/backup/vedette --data-dir /var/lib/vedette\nExit code 1 when something of it was damaged: it is named, and the rest is there.",
    )
    .action(async (o) => (await import("./restore.ts")).restore({ ...o, events: !o.withoutEvents }));
}
