/** Names, options and help of what needs no server: `vedette scan`, `pcap`, `replay`, `sizing`; their code is loaded only when it runs. */
import { type Command, Option } from "commander";
import { json, output, site } from "../options.ts";

export function addOfflineCommands(cli: Command): void {
  site(cli.command("scan"))
    .description("run the rules over files, offline: no server, nothing stored")
    .argument("<paths...>", "files, folders, or - for standard input")
    .option(
      "--rules <dir>",
      "folder of Sigma rules, may be repeated; the bundled starter rules when absent",
      (dir: string, all: string[] = []) => [...all, dir],
    )
    .option("--format <name>", "format of the files; detected when absent")
    .addOption(new Option("--level <level>", "least level shown").choices(["informational", "low", "medium", "high", "critical"]))
    .addOption(output())
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette scan /var/log/auth.log\n  $ vedette scan --rules sigma/rules --level high -o ndjson /archive/zeek\nExit code 1 when a rule matched.",
    )
    .action(async (files: string[], o) => (await import("./scan.ts")).scan(files, o));

  cli
    .command("pcap")
    .description("show what a packet capture holds as rows of Zeek's logs, or write them; vedette scan judges captures")
    .argument("<files...>", "pcap or pcapng files, or folders")
    .option("--out <dir>", "write conn.log, dns.log, ssl.log and stratum.log there as JSON lines")
    .addOption(output())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette pcap suspicious.pcap\n  $ vedette scan suspicious.pcap")
    .action(async (files: string[], o) => (await import("./pcap.ts")).pcap(files, o));

  cli
    .command("replay")
    .description("run detection again over the retained log of a stopped installation; the same log gives the same digest")
    .option("--data-dir <dir>", "data directory (VEDETTE_DATA; else ./data)")
    .addOption(json())
    .action(async (o) => (await import("./replay.ts")).replay(o));

  cli
    .command("sizing")
    .description("estimate events, processors, memory, disk and network of a cluster, with every assumption")
    .requiredOption("--nodes <n>", "compute nodes")
    .requiredOption("--gbps <n>", "rate of the link that Zeek watches, in Gbit/s")
    .option("--days <n>", "days for which events are kept", "30")
    .option("--events-per-cpu-second <n>", "what a core of yours was measured to do (npm run bench -- ingest)")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette sizing --nodes 5000 --gbps 400")
    .action(async (o) => (await import("./sizing.ts")).sizing(o));
}
