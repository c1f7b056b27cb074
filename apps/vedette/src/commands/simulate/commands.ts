/** Names, options and help of `vedette simulate`. Knows no simulation: it is loaded at every start. */
import { type Command, Option } from "commander";
import { json, server } from "../../options.ts";

const collect = (value: string, all: readonly string[] = []): string[] => [...all, value];

export function addSimulateCommands(cli: Command): void {
  const simulate = cli
    .command("simulate")
    .description("play a cluster's days, attacks among them, into files or a server; the truth is written beside")
    .option("--seed <n>", "the same seed gives the same bytes", "1")
    .option("--nodes <n>", "compute nodes; log-in and other machines come on top", "50")
    .option("--duration <time>", "simulated time, e.g. 6h, 1d, 7d", "1d")
    .option("--start <time>", "RFC 3339, now, or how long ago, e.g. -1d", "2026-03-02T00:00:00Z")
    .option("--activity <share>", "share of a real site's system programs, MPI ranks and connections", "0.01")
    .option("--scenario <name>", "NAME, NAME*COUNT or NAME@TIME after the start, all (default) or none; may be repeated", collect)
    .option("--out <dir>", "new folder for records and truth; with --to, for the truth alone")
    .option("--to <url>", "send to this server instead (token: VEDETTE_TOKEN, or the data directory's)")
    .option("--data-dir <dir>", "data directory that holds the token (VEDETTE_DATA; else ./data)")
    .option("--rate <n>", "records a second when sending")
    .option("--speed <x>", "simulated seconds a second when sending")
    .option("--only <kinds>", "some of zeek,tetragon,auth,slurm,metrics")
    .addOption(new Option("--zeek <form>", "how Zeek writes").choices(["json", "tsv"]).default("json"))
    .addOption(new Option("--accounting <way>", "how Slurm tells of jobs that ended").choices(["jobcomp", "sacct"]).default("jobcomp"))
    .option("--interval <seconds>", "from sample to sample of a series", "60")
    .option("--list", "list the attack scenarios")
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette simulate --seed 7 --nodes 200 --duration 1d --out sim\n  $ vedette scan -o ndjson sim > found.ndjson\n  $ vedette simulate score --truth sim/truth.ndjson --alerts found.ndjson",
    );
  simulate.action(async (o) => (await import("./run.ts")).simulate(o));
  server(simulate.command("score").description("compare alerts with the truth of a simulation: recall, false alarms, by scenario and rule"))
    .requiredOption("--truth <file>", "truth.ndjson of the simulation")
    .option("--alerts <file>", "alerts -o json, or the findings of scan -o ndjson; a running server's alerts when absent")
    .addOption(json())
    .action(async (_o, c: Command) => (await import("./score.ts")).scoreSimulation(c.optsWithGlobals()));
}
