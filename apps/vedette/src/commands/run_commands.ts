/** Names, options and help of `vedette up` and `demo`; their code is loaded only when it runs. */
import type { Command } from "commander";
import { server } from "../options.ts";

export function addRunCommands(cli: Command): void {
  cli
    .command("up")
    .description("start Vedette: console, API, ingest and detection, in one process or, by --role, in several")
    .option("--data-dir <dir>", "where log, events and state live (default ./data)")
    .option("--listen <host:port>", "address of console and API (default 127.0.0.1:8080)")
    .option("--config <file>", "configuration file (default vedette.yaml if there is one)")
    .option(
      "--role <roles>",
      "roles of this process, with commas between: ingest, analyse, triage, serve (see docs/guide/scaling.md)",
      "all",
    )
    .option("--no-demo", "do not replay the bundled scenario on the first start of an empty directory")
    .action(async (o) => (await import("./up.ts")).up(o));

  const demo = server(cli.command("demo").description("replay the bundled, labelled attack scenario through a running server"));
  demo.action(async (o) => (await import("./demo.ts")).demo(o));
  server(demo.command("clear").description("remove everything marked as demo")).action(async (_o, c: Command) =>
    (await import("./demo.ts")).clearDemo(c.optsWithGlobals()),
  );
}
