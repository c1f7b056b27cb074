/** Names, options and help of `vedette query` and `metrics`; their code is loaded only when it runs. */
import { type Command, Option } from "commander";
import { json, output, range, server, whole } from "../options.ts";

export function addQueryCommand(cli: Command): void {
  range(
    server(
      cli
        .command("query")
        .description("search events, or aggregate them with | stats")
        .argument("<query...>", "query, e.g. 'event.outcome:failure and source.ip:10.0.0.0/8'"),
    ),
  )
    .option("--limit <n>", "most rows", whole, 100)
    .option("--all", "every event, as a stream: with -o ndjson or csv")
    .addOption(output())
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette query --since 1h 'event.category:authentication | stats count() as n by source.ip | sort -n | head 10'",
    )
    .action(async (words: string[], o) => (await import("./query.ts")).query(words.join(" "), o));
}

export function addMetricsCommands(cli: Command): void {
  const metrics = cli.command("metrics").description("series of metrics: list them, print what they came to, see what their sources sent");
  const series = (c: Command) => range(server(c)).option("--limit <n>", "most series", whole, 100).addOption(output()).addOption(json());
  series(
    metrics
      .command("list")
      .description("series with a sample in the past hour, or in the time asked for")
      .argument("[query...]", "filter, e.g. 'metric.name:node_load1 and labels.job:node'"),
  ).action(async (words: string[], o) => (await import("./metrics.ts")).list(words.join(" "), o));
  series(
    metrics
      .command("range")
      .description("what series came to per step of time")
      .argument("<query...>", "filter over metric.name, labels.NAME, host.name, service.name"),
  )
    .option("--step <seconds>", "width of a step: a multiple of ten", whole)
    .addOption(
      new Option("--function <name>", "what is shown of a step")
        .choices(["avg", "min", "max", "sum", "count", "last", "increase", "rate"])
        .default("avg"),
    )
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette metrics range --since 3h --step 300 --function rate 'metric.name:http_requests_total and labels.code:500'",
    )
    .action(async (words: string[], o) => (await import("./metrics.ts")).range(words.join(" "), o));
  server(metrics.command("sources").description("series of each source, and what became of its samples"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./metrics.ts")).sources(o));
}
