/** Names, options and help of every `vedette machine` and `vedette vault` subcommand; the code is loaded only when it runs. */
import { type Command, Option } from "commander";
import { json, output, server } from "../../options.ts";

const folder = (c: Command) => c.requiredOption("--dir <dir>", "folder of this machine's key and certificate");

export function addMachineCommands(cli: Command): void {
  const machine = cli.command("machine").description("machines known by certificates: enrol, list, renew, revoke");
  server(
    machine
      .command("token")
      .description("make a token that one machine enrols with, once, within the hour")
      .argument("<role>", "what it is, e.g. agent")
      .argument("<name>", "its name: also the source that its records are of"),
  )
    .addOption(json())
    .option("--command <dir>", "print the command that enrols on the machine, into this folder of it, instead of the token alone")
    .addHelpText("after", "\nExample:\n  $ vedette machine token agent node17 --command /etc/vedette/machine | ssh node17 sh")
    .action(async (role: string, name: string, o) => (await import("./online.ts")).token(role, name, o));
  server(machine.command("list").description("machines and roles: where they are, how they are, how long their certificates last"))
    .option("--dir <dir>", "ask as the machine whose certificate is there, instead of as an administrator")
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./online.ts")).list(o));
  server(machine.command("revoke").description("take back a machine's certificates and open tokens, at once").argument("<id>", "ROLE:NAME"))
    .requiredOption("--reason <text>", "why; kept for ever")
    .action(async (id: string, o) => (await import("./online.ts")).revoke(id, o));
  server(machine.command("ca").description("print the authority's certificate, or what it took back, as PEM"))
    .option("--crl", "the revocation list")
    .action(async (o) => (await import("./online.ts")).authority(o));

  folder(machine.command("enrol").description("on a machine: make a key, get a certificate for it with a token"))
    .requiredOption("--url <url>", "the server's port for machines, https://HOST:PORT")
    .option("--token <token>", "what vedette machine token printed; better in VEDETTE_MACHINE_TOKEN, where ps does not show it")
    .addHelpText("after", "\nExample:\n  $ vedette machine enrol --url https://vedette.example.org:8443 --dir /etc/vedette/machine")
    .action(async (o) => (await import("./node.ts")).enrol(o));
  folder(machine.command("renew").description("on a machine: get a new certificate from half of the old one's life on; for a timer"))
    .option("--force", "before that too")
    .action(async (o) => (await import("./node.ts")).renew(o));
  folder(machine.command("report").description("on a machine: say where it is and how it is"))
    .addOption(new Option("--health <health>", "how it is").choices(["ok", "degraded", "failing"]).default("ok"))
    .option("--address <address>", "where others reach it")
    .option("--version-of <version>", "version of what runs there")
    .option("--detail <text>", "what is wrong, for people")
    .option("--ttl <seconds>", "for how long that holds", "90")
    .action(async (o) => (await import("./node.ts")).report(o));

  const vault = cli.command("vault").description("keys at rest: which there are, what they seal, a new one");
  server(vault.command("status").description("keys, and what is sealed by them"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("../vault.ts")).status(o));
  server(
    vault.command("rotate").description("read the keys again, make a new one where they are the installation's own, seal everything by it"),
  )
    .addOption(json())
    .action(async (o) => (await import("../vault.ts")).rotate(o));
}
