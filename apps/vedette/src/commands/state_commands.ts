/** `vedette migrate` and `vedette move`: names, options and help; their code is loaded only when they run. */
import { type Command, Option } from "commander";
import { configFile, json } from "../options.ts";

const place = (command: Command): Command => configFile(command.option("--data-dir <dir>", "data directory (VEDETTE_DATA; else ./data)"));

export function addStateCommands(cli: Command): void {
  place(cli.command("migrate").description("bring the tables of the state database up to date, as every start does by itself"))
    .option("--dry-run", "show what would be run; exit code 1 when something would")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette migrate --dry-run")
    .action(async (o) => (await import("./migrate.ts")).migrate(o));
  place(cli.command("move").description("copy all state between the data directory and PostgreSQL, while nothing runs on either"))
    .addOption(
      new Option("--to <driver>", "where it is to be: as state.driver names it").choices(["postgres", "sqlite"]).makeOptionMandatory(),
    )
    .option("--overwrite", "give up the state that is there already")
    .option("--new-log", "leave positions and detectors' memories behind: the log is another one there (log.driver changes too)")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette move --to postgres\n  then set state.driver: postgres")
    .action(async (o) => (await import("./move.ts")).move(o));
}
