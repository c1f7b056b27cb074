/** Names, options and help of `vedette alerts` and `tail`; their code is loaded only when it runs. */
import { type Command, Option } from "commander";
import { json, output, range, server, whole } from "../options.ts";

export function addAlertCommands(cli: Command): void {
  const alerts = range(server(cli.command("alerts").description("list alerts, newest first")))
    .option("--state <states>", "open,acknowledged,closed", "open,acknowledged")
    .option("--severity <levels>", "e.g. high,critical")
    .option("--shadow", "findings of rules on trial instead of alerts")
    .option("--historical", "what historical loads gave, instead of what live events did")
    .option("--limit <n>", "most rows", whole, 50)
    .addOption(output())
    .addOption(json());
  alerts.action(async (o) => (await import("./alerts.ts")).list(o));
  server(alerts.command("show").description("one alert with its evidence and history").argument("<id>"))
    .addOption(json())
    .action(async (id: string, _o, c: Command) => (await import("./alerts.ts")).show(id, c.optsWithGlobals()));
  server(alerts.command("ack").description("take an alert on").argument("<id>").option("--note <text>")).action(
    async (id: string, _o, c: Command) => (await import("./alerts.ts")).change(id, "acknowledge", c.optsWithGlobals()),
  );
  server(
    alerts
      .command("close")
      .description("close an alert with a verdict")
      .argument("<id>")
      .addOption(
        new Option("--verdict <verdict>", "what it was").choices(["true_positive", "benign", "false_positive"]).makeOptionMandatory(),
      )
      .option("--note <text>"),
  ).action(async (id: string, _o, c: Command) => (await import("./alerts.ts")).change(id, "close", c.optsWithGlobals()));
}

export function addTailCommand(cli: Command): void {
  server(cli.command("tail").description("follow alerts as they are raised (with --events: a sample of events too)"))
    .option("--events", "also a sample of the newest events")
    .addOption(new Option("-o, --output <form>", "how lines are printed").choices(["table", "ndjson"]).default("table"))
    .addOption(json())
    .action(async (o) => (await import("./tail.ts")).tail(o));
}
