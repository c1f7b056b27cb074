/** The order in which help shows commands: by what somebody is about to do. */
import { Command } from "commander";

const groups: { readonly [heading: string]: readonly string[] } = {
  "Start and look after it:": ["up", "demo", "top", "doctor", "config", "support-dump", "sizing", "completion", "help"],
  "What comes in, what goes out:": ["source", "enrich", "pipeline", "sink"],
  "What was found:": ["alerts", "tail", "query", "metrics"],
  "Rules:": ["rule"],
  "Files, without a server:": ["scan", "pcap", "replay", "simulate"],
  "Who may do what, and who did:": ["user", "access", "key", "machine", "audit", "verify", "vault", "reveal"],
  "Keep and remove data:": ["backup", "restore", "hold", "erase", "erasures", "migrate", "move"],
};

/** Puts each command under its heading, and headings in their order. */
export function groupCommands(cli: Command): void {
  const place = new Map(Object.entries(groups).flatMap(([heading, names]) => names.map((name) => [name, heading] as const)));
  const order = [...place.keys()];
  // help takes headings in the order of the commands
  (cli.commands as Command[]).sort((a, b) => order.indexOf(a.name()) - order.indexOf(b.name()));
  const help = new Command("help").argument("[command]").description("help for a command");
  cli.addHelpCommand(help);
  for (const command of [...cli.commands, help]) {
    const heading = place.get(command.name());
    if (heading !== undefined) command.helpGroup(heading);
  }
}
