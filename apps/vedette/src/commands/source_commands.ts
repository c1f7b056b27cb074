/** Names, options and help of `vedette source` and `sink`, the ways in and out; their code is loaded only when it runs. */
import type { Command } from "commander";
import { configFile as file, json, output, server, whole } from "../options.ts";

export function addSourceCommands(cli: Command): void {
  const source = cli.command("source").description("look at sources, and give them tokens");
  server(source.command("list").description("sources of a running server, with their ledger"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./source.ts")).list(o));
  server(
    source
      .command("token")
      .description("make a token with which a sender may ingest for one source and do nothing else")
      .argument("[name]", "the source"),
  )
    .option("--list", "list tokens without their secrets")
    .option("--revoke <id>", "take a token back")
    .option("--events-per-second <n>", "let it send so many at most; what is over is told to wait", whole)
    .option("--bytes-per-second <n>", "the same in bytes of records", whole)
    .addOption(output())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette source token login-nodes > login-nodes.token")
    .action(async (name: string | undefined, o) => (await import("./source.ts")).token(name, o));
  server(
    file(
      source
        .command("test")
        .description(
          "read a few records of a configured source and show what they become; of a source or endpoint that senders reach, tell why those fail that do",
        )
        .argument("<name>"),
    ),
  )
    .option("--records <n>", "most records to read", whole, 5)
    .option("--wait <seconds>", "how long to wait for them", whole, 5)
    .addOption(json())
    .action(async (name: string, o) => (await import("./source.ts")).test(name, o));

  server(
    source
      .command("import")
      .description("read files once and hand them to a running server")
      .argument("<files...>", "files or globs; .gz and .zst are decompressed"),
  )
    .option("--as <source>", "name of the source", "import")
    .option("--historical", "of the past: what they give is listed apart, calls nobody and moves nothing else")
    .addHelpText("after", "\nExample:\n  $ vedette source import --historical '/archive/2026-0[1-6]*.log.gz'")
    .action(async (files: string[], o) => (await import("./source_import.ts")).importFiles(files, o));

  server(
    file(
      source
        .command("config")
        .description("print what a sender is configured with to deliver for a source, to copy")
        .argument("<name>", "the source"),
    ),
  )
    .option(
      "--for <client>",
      "the sender: filebeat, fluent-bit, vector, rsyslog, logstash, otel-collector, prometheus, slurm, kubernetes, splunk, …",
    )
    .option("--address <host:port>", "where the sender reaches this server")
    .option("--with-token", "make a token for the source and put it in")
    .addHelpText("after", "\nExample:\n  $ vedette source config login-nodes --for filebeat --with-token > filebeat.yml")
    .action(async (name: string, o) => (await import("./source_config.ts")).sourceConfig(name, o));
}

export function addSinkCommands(cli: Command): void {
  const sink = cli.command("sink").description("look at ways out, and try them");
  server(sink.command("list").description("sinks of a running server, with what became of what they read"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./sink.ts")).list(o));
  file(
    sink.command("test").description("send one marked record through a configured sink and show what the receiver says").argument("<name>"),
  )
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette sink test soc\nExit code 1 when the receiver did not take it.")
    .action(async (name: string, o) => (await import("./sink.ts")).test(name, { ...o, version: cli.version()! }));
}
