/** Names, options and help of `vedette key` and `vedette access`; their code is loaded only when they run. */
import type { Command } from "commander";
import { json, output, server } from "../options.ts";

const rows = (c: Command) => server(c).addOption(output()).addOption(json());
/** Administrators see and revoke the keys of others. */
const ofSomebody = (c: Command) => c.option("--user <id>", "somebody else's, by the id that `vedette user list` shows");

export function addAccessCommands(cli: Command): void {
  const key = cli.command("key").description("keys that programs ask with: for a part of what you may, until a day");
  rows(key.command("create").description("make a key; it is printed this once").argument("<name>", "what it is for"))
    .requiredOption("--scope <permissions>", "what it may do, separated by commas; no more than you may")
    .option("--days <n>", "days until it ends (default 90, at most 366)")
    .addHelpText("after", "\nExample:\n  $ vedette key create tickets --scope alerts:read,alerts:write > tickets.key")
    .action(async (name: string, o) => (await import("./key.ts")).create(name, o));
  ofSomebody(rows(key.command("list").description("your keys, without their secrets"))).action(async (o) =>
    (await import("./key.ts")).list(o),
  );
  ofSomebody(server(key.command("revoke").description("take a key back, at once").argument("<id>"))).action(async (id: string, o) =>
    (await import("./key.ts")).revoke(id, o),
  );

  const access = cli.command("access").description("who may do what, and why");
  access
    .command("roles")
    .description("the roles, and what each permits")
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./access.ts")).printRoles(o));
  rows(
    access
      .command("explain")
      .description("whether somebody may do something, and which grant, role, scope or condition decides; exit code 1 for no")
      .argument("<user>", "name of a user, or admin for the admin token")
      .argument("<action>", "a permission, e.g. alerts:write")
      .argument("[resource]", "id of an event or alert"),
  )
    .addHelpText("after", "\nExample:\n  $ vedette access explain ann events:read Jk3xQ0aZ1bC2dE4fG5hI6j")
    .action(async (user: string, action: string, resource: string | undefined, o) =>
      (await import("./access.ts")).explain(user, action, resource, o),
    );
}
