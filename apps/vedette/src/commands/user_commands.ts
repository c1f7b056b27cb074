/** Names, options and help of `vedette user`; its code is loaded only when it runs. */
import type { Command } from "commander";
import { json, output, server } from "../options.ts";

const rows = (c: Command) => server(c).addOption(output()).addOption(json());
const several = (one: string, all: readonly string[] = []) => [...all, one];
const described = (c: Command) =>
  rows(c)
    .option("--role <role>", "viewer, analyst, responder, engineer, admin or auditor; may be repeated", several)
    .option("--rows <query>", "what of events and alerts the role reaches, e.g. 'host.name:login*'")
    .option("--mask <field>", "field that is masked for the role; * at its end for all that begin so; may be repeated", several)
    .option("--display-name <text>", "as people call them")
    .option("--email <address>");

export function addUserCommands(cli: Command): void {
  const user = cli.command("user").description("people: who may sign in, and what they may do");
  rows(user.command("list").description("people, with their roles")).action(async (o) => (await import("./user.ts")).list(o));
  described(user.command("add").description("add somebody; the first password is printed this once").argument("<name>"))
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette user add ada --role admin\n  $ vedette user add eve --role analyst --rows 'host.name:login*' --mask user.full_name",
    )
    .action(async (name: string, o) => (await import("./user.ts")).add(name, o));
  described(user.command("set").description("change somebody; roles that are named take the place of those there were").argument("<name>"))
    .option("--name <name>", "another name to sign in with")
    .action(async (name: string, o) => (await import("./user.ts")).set(name, o));
  rows(user.command("disable").description("end somebody's sessions and let them sign in no more").argument("<name>")).action(
    async (name: string, o) => (await import("./user.ts")).disable(name, o),
  );
  rows(user.command("enable").description("let somebody sign in again").argument("<name>")).action(async (name: string, o) =>
    (await import("./user.ts")).enable(name, o),
  );
  rows(user.command("remove").description("remove somebody").argument("<name>")).action(async (name: string, o) =>
    (await import("./user.ts")).remove(name, o),
  );
  rows(user.command("reset").description("give somebody a first password again; their sessions and one-time codes end").argument("<name>"))
    .option("--keep-totp", "leave the one-time codes")
    .option("--offline", "on the data directory of a stopped server: the way back in when nobody can sign in")
    .option("--admin", "with --offline: give the role admin too, and make the user where there is none")
    .option("--config <file>", "with --offline: configuration file, for the keys at rest")
    .addHelpText("after", "\nExample:\n  $ vedette user reset ada --offline --data-dir /var/lib/vedette")
    .action(async (name: string, o) =>
      o.offline ? (await import("./user_offline.ts")).resetOffline(name, o) : (await import("./user.ts")).reset(name, o),
    );
  rows(user.command("sessions").description("who is signed in, and from where").argument("[name]")).action(
    async (name: string | undefined, o) => (await import("./user.ts")).sessions(name, o),
  );
  rows(user.command("revoke").description("end somebody's sessions, at once").argument("[name]"))
    .option("--session <id>", "only this one")
    .action(async (name: string | undefined, o) => (await import("./user.ts")).revoke(name, o));
}
