/** The command line: names, options and help of every command; each command's code is loaded only when it runs. */
import { Argument, Command, CommanderError, Option } from "commander";
import { addAccessCommands } from "./commands/access_commands.ts";
import { addBackupCommands } from "./commands/backup_commands.ts";
import { addHoldCommands } from "./commands/hold_commands.ts";
import { addMachineCommands } from "./commands/machine/commands.ts";
import { addPipelineCommands } from "./commands/pipeline/commands.ts";
import { addRuleCommands } from "./commands/rule/commands.ts";
import { addSimulateCommands } from "./commands/simulate/commands.ts";
import { addStateCommands } from "./commands/state_commands.ts";
import { addUserCommands } from "./commands/user_commands.ts";
import { groupCommands } from "./help.ts";
import { json, output, range, server, site, whole } from "./options.ts";

/** Exit codes of the contract. */
export const exitCodes = { fine: 0, findings: 1, usage: 2, unavailable: 3 } as const;

export function program(): Command {
  const cli = new Command("vedette")
    .description("Watches a cluster: collects logs, detects attacks, raises alerts.")
    .version("0.1.0")
    .showHelpAfterError("(add --help for usage)")
    .exitOverride()
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette up                         start everything in one process\n  $ vedette query 'source.ip:203.0.113.9 | stats count() by event.action'\n\nExit codes: 0 fine, 1 findings or failures, 2 usage or configuration, 3 unavailable.",
    );

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
    .action(async (o) => (await import("./commands/up.ts")).up(o));

  const demo = server(cli.command("demo").description("replay the bundled, labelled attack scenario through a running server"));
  demo.action(async (o) => (await import("./commands/demo.ts")).demo(o));
  server(demo.command("clear").description("remove everything marked as demo")).action(async (_o, c: Command) =>
    (await import("./commands/demo.ts")).clearDemo(c.optsWithGlobals()),
  );

  addSimulateCommands(cli);

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
    .action(async (words: string[], o) => (await import("./commands/query.ts")).query(words.join(" "), o));

  const metrics = cli.command("metrics").description("series of metrics: list them, print what they came to, see what their sources sent");
  const series = (c: Command) => range(server(c)).option("--limit <n>", "most series", whole, 100).addOption(output()).addOption(json());
  series(
    metrics
      .command("list")
      .description("series with a sample in the past hour, or in the time asked for")
      .argument("[query...]", "filter, e.g. 'metric.name:node_load1 and labels.job:node'"),
  ).action(async (words: string[], o) => (await import("./commands/metrics.ts")).list(words.join(" "), o));
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
    .action(async (words: string[], o) => (await import("./commands/metrics.ts")).range(words.join(" "), o));
  server(metrics.command("sources").description("series of each source, and what became of its samples"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./commands/metrics.ts")).sources(o));

  const alerts = range(server(cli.command("alerts").description("list alerts, newest first")))
    .option("--state <states>", "open,acknowledged,closed", "open,acknowledged")
    .option("--severity <levels>", "e.g. high,critical")
    .option("--shadow", "findings of rules on trial instead of alerts")
    .option("--historical", "what historical loads gave, instead of what live events did")
    .option("--limit <n>", "most rows", whole, 50)
    .addOption(output())
    .addOption(json());
  alerts.action(async (o) => (await import("./commands/alerts.ts")).list(o));
  server(alerts.command("show").description("one alert with its evidence and history").argument("<id>"))
    .addOption(json())
    .action(async (id: string, _o, c: Command) => (await import("./commands/alerts.ts")).show(id, c.optsWithGlobals()));
  server(alerts.command("ack").description("take an alert on").argument("<id>").option("--note <text>")).action(
    async (id: string, _o, c: Command) => (await import("./commands/alerts.ts")).change(id, "acknowledge", c.optsWithGlobals()),
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
  ).action(async (id: string, _o, c: Command) => (await import("./commands/alerts.ts")).change(id, "close", c.optsWithGlobals()));

  server(cli.command("tail").description("follow alerts as they are raised (with --events: a sample of events too)"))
    .option("--events", "also a sample of the newest events")
    .addOption(new Option("-o, --output <form>", "how lines are printed").choices(["table", "ndjson"]).default("table"))
    .addOption(json())
    .action(async (o) => (await import("./commands/tail.ts")).tail(o));

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
    .action(async (files: string[], o) => (await import("./commands/scan.ts")).scan(files, o));

  cli
    .command("pcap")
    .description("show what a packet capture holds as rows of Zeek's logs, or write them; vedette scan judges captures")
    .argument("<files...>", "pcap or pcapng files, or folders")
    .option("--out <dir>", "write conn.log, dns.log, ssl.log and stratum.log there as JSON lines")
    .addOption(output())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette pcap suspicious.pcap\n  $ vedette scan suspicious.pcap")
    .action(async (files: string[], o) => (await import("./commands/pcap.ts")).pcap(files, o));

  cli
    .command("replay")
    .description("run detection again over the retained log of a stopped installation; the same log gives the same digest")
    .option("--data-dir <dir>", "data directory (VEDETTE_DATA; else ./data)")
    .addOption(json())
    .action(async (o) => (await import("./commands/replay.ts")).replay(o));

  const audit = cli.command("audit").description("the audit trail: who signed in, changed or read what");
  range(server(audit.command("list").description("records, newest first")))
    .option("--user <name>", "only what this person did")
    .option("--action <name>", "only this action; * at the end for all that begin so, e.g. rule*")
    .addOption(new Option("--outcome <outcome>", "only what ended so").choices(["success", "failure", "unknown"]))
    .option("--limit <n>", "most records", whole, 50)
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./commands/audit.ts")).list(o));
  server(audit.command("head").description("the newest signed head, to keep in another place: vedette audit head >> FILE")).action(
    async (o) => (await import("./commands/audit.ts")).head(o),
  );
  audit
    .command("erase")
    .description("take the content of records out of a stopped installation's trail; that it was done, by whom and why stays")
    .requiredOption("--reason <text>", "why")
    .option("--before <time>", "records older than this, RFC 3339")
    .option("--user <name>", "records of this user")
    .option("--yes", "do it; without it, only count")
    .option("--data-dir <dir>", "data directory (VEDETTE_DATA; else ./data)")
    .action(async (o) => (await import("./commands/audit.ts")).erase(o));
  cli
    .command("verify")
    .description("prove, offline, that nobody changed the audit trail, and name the first record that is not as it was written")
    .option("--data-dir <dir>", "data directory (VEDETTE_DATA; else ./data)")
    .option("--head <file...>", "heads that were kept elsewhere (audit.heads, or vedette audit head)")
    .option("--key <file...>", "public keys that may have signed them (default D/keys/audit.pub.pem)")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette verify --head /mnt/vault/vedette-heads.ndjson --key ~/audit.pub.pem")
    .action(async (o) => (await import("./commands/verify.ts")).verify(o));

  addRuleCommands(cli.command("rule").description("write, check, explain and measure rules"));
  addPipelineCommands(cli);
  addMachineCommands(cli);

  const config = cli.command("config").description("check and show the configuration");
  const file = (c: Command) => c.option("--config <file>", "configuration file (default vedette.yaml if there is one)");
  file(config.command("validate").description("check the configuration and say what is wrong, with file and line")).action(async (o) =>
    (await import("./commands/config.ts")).validate(o),
  );
  file(config.command("show").description("the configuration in force and where each value comes from"))
    .addOption(json())
    .action(async (o) => (await import("./commands/config.ts")).show(o));
  config
    .command("schema")
    .description("JSON Schema of vedette.yaml, for editors")
    .action(async () => (await import("./commands/config.ts")).schema());

  const source = cli.command("source").description("look at sources, and give them tokens");
  server(source.command("list").description("sources of a running server, with their ledger"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./commands/source.ts")).list(o));
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
    .action(async (name: string | undefined, o) => (await import("./commands/source.ts")).token(name, o));
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
    .action(async (name: string, o) => (await import("./commands/source.ts")).test(name, o));

  server(
    source
      .command("import")
      .description("read files once and hand them to a running server")
      .argument("<files...>", "files or globs; .gz and .zst are decompressed"),
  )
    .option("--as <source>", "name of the source", "import")
    .option("--historical", "of the past: what they give is listed apart, calls nobody and moves nothing else")
    .addHelpText("after", "\nExample:\n  $ vedette source import --historical '/archive/2026-0[1-6]*.log.gz'")
    .action(async (files: string[], o) => (await import("./commands/source_import.ts")).importFiles(files, o));

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
    .action(async (name: string, o) => (await import("./commands/source_config.ts")).sourceConfig(name, o));

  const sink = cli.command("sink").description("look at ways out, and try them");
  server(sink.command("list").description("sinks of a running server, with what became of what they read"))
    .addOption(output())
    .addOption(json())
    .action(async (o) => (await import("./commands/sink.ts")).list(o));
  file(
    sink.command("test").description("send one marked record through a configured sink and show what the receiver says").argument("<name>"),
  )
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette sink test soc\nExit code 1 when the receiver did not take it.")
    .action(async (name: string, o) => (await import("./commands/sink.ts")).test(name, { ...o, version: cli.version()! }));

  cli
    .command("sizing")
    .description("estimate events, processors, memory, disk and network of a cluster, with every assumption")
    .requiredOption("--nodes <n>", "compute nodes")
    .requiredOption("--gbps <n>", "rate of the link that Zeek watches, in Gbit/s")
    .option("--days <n>", "days for which events are kept", "30")
    .option("--events-per-cpu-second <n>", "what a core of yours was measured to do (npm run bench -- ingest)")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette sizing --nodes 5000 --gbps 400")
    .action(async (o) => (await import("./commands/sizing.ts")).sizing(o));

  addUserCommands(cli);
  addAccessCommands(cli);
  addHoldCommands(cli);
  addStateCommands(cli);

  addBackupCommands(cli);

  server(cli.command("top").description("watch a running server: sources, rates, lag, what rules and detectors take, alerts, memory"))
    .option("--once", "one picture, then end")
    .option("--interval <seconds>", "between two pictures", "2")
    .addOption(json())
    .addHelpText("after", "\nExample:\n  $ vedette top\n  $ vedette top --once --json | jq .lag_ms\nq or Ctrl-C ends it.")
    .action(async (o) => (await import("./commands/top.ts")).top(o));

  file(server(cli.command("doctor").description("check the installation and say what to do about what is wrong")))
    .addOption(json())
    .action(async (o) => (await import("./commands/doctor.ts")).doctor(o));
  file(server(cli.command("support-dump").description("one archive for whoever helps: state and figures, no secrets, no events")))
    .option("-o, --output <file>", "where it goes (default vedette-support-TIME.tar.gz here)")
    .option("--unit <name>", "the service whose last log lines are taken from the journal", "vedette")
    .addHelpText("after", "\nExample:\n  $ vedette support-dump -o dump.tar.gz\nIt works without a running server too.")
    .action(async (o) => (await import("./commands/support_dump.ts")).supportDump({ ...o, version: cli.version()! }));

  cli
    .command("completion")
    .description("print what a shell needs to complete commands and options")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      "\nExample:\n  $ vedette completion bash > ~/.local/share/bash-completion/completions/vedette\n  $ vedette completion fish > ~/.config/fish/completions/vedette.fish",
    )
    .action(async (shell: "bash" | "zsh" | "fish") => (await import("./commands/completion.ts")).completion(cli, shell));
  groupCommands(cli);
  return cli;
}

/** Puts an alert's id that begins with a dash behind `--`: ids are base64url, so one in 64 would be taken for an option. */
export function idsLast(argv: readonly string[]): string[] {
  if (argv[2] !== "alerts" || argv.includes("--")) return [...argv];
  const isId = (word: string) => /^-[\w-]{21}$/.test(word);
  const ids = argv.filter(isId);
  return ids.length === 0 ? [...argv] : [...argv.filter((word) => !isId(word)), "--", ...ids];
}

/** Runs the command line and ends the process with the contract's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // `vedette alerts | head`: whoever reads has enough
  process.stdout.on("error", (e: NodeJS.ErrnoException) => process.exit(e.code === "EPIPE" ? exitCodes.fine : exitCodes.unavailable));
  try {
    await program().parseAsync(idsLast(argv));
  } catch (e) {
    if (e instanceof CommanderError) process.exitCode = e.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
    else {
      const { code, permanent } = e as { code?: string; permanent?: boolean };
      process.stderr.write(`vedette: ${(e as Error).message}${process.env["VEDETTE_DEBUG"] ? `\n${(e as Error).stack}` : ""}\n`);
      process.exitCode =
        permanent === false
          ? exitCodes.unavailable
          : code === "config_invalid" || code === "config_unreadable" || permanent
            ? exitCodes.usage
            : exitCodes.findings;
    }
  }
}

// run directly from source in development
if (process.argv[1]?.endsWith("main.ts")) await main(process.argv);
