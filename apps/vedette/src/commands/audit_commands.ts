/** Names, options and help of `vedette audit` and `verify`; their code is loaded only when it runs. */
import { type Command, Option } from "commander";
import { json, output, range, server, whole } from "../options.ts";

export function addAuditCommands(cli: Command): void {
  const audit = cli.command("audit").description("the audit trail: who signed in, changed or read what");
  range(server(audit.command("list").description("records, newest first")))
    .option("--user <name>", "only what this person did")
    .option("--action <name>", "only this action; * at the end for all that begin so, e.g. rule*")
    .addOption(new Option("--outcome <outcome>", "only what ended so").choices(["success", "failure", "unknown"]))
    .option("--limit <n>", "most records", whole, 50)
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./audit.ts")).list(o));
  server(audit.command("head").description("the newest signed head, to keep in another place: vedette audit head >> FILE")).action(
    async (o) => (await import("./audit.ts")).head(o),
  );
  audit
    .command("erase")
    .description("take the content of records out of a stopped installation's trail; that it was done, by whom and why stays")
    .requiredOption("--reason <text>", "why")
    .option("--before <time>", "records older than this, RFC 3339")
    .option("--user <name>", "records of this user")
    .option("--yes", "do it; without it, only count")
    .option("--data-dir <dir>", "data directory (VEDETTE_DATA; else ./data)")
    .action(async (o) => (await import("./audit.ts")).erase(o));
  cli
    .command("verify")
    .description("prove, offline, that nobody changed the audit trail, and name the first record that is not as it was written")
    .option("--data-dir <dir>", "data directory (VEDETTE_DATA; else ./data)")
    .option("--head <file...>", "heads that were kept elsewhere (audit.heads, or vedette audit head)")
    .option("--key <file...>", "public keys that may have signed them (default D/keys/audit.pub.pem)")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette verify --head /mnt/vault/vedette-heads.ndjson --key ~/audit.pub.pem")
    .action(async (o) => (await import("./verify.ts")).verify(o));
}
