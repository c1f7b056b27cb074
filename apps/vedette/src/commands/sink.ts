/** `vedette sink list|test`. */
import { hostname } from "node:os";
import { outgoing, type Parcel, sinks } from "@vedette/egress";
import { formatTime, jsonText, newFields, systemClock, VedetteError } from "@vedette/kit";
import { writeTable } from "@vedette/store";
import { connect, type ServerOptions } from "../client.ts";
import { loadConfig } from "../config/load.ts";
import { checkSinks, configuredSinks } from "../config/sinks.ts";
import { formOf, printRows, safe } from "../output.ts";

interface ListOptions extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export async function list(options: ListOptions): Promise<void> {
  const { sinks: rows } = await connect(options).get("/sinks");
  printRows(
    rows,
    ["name", "type", "select", "format", "state", "sent", "refused", "skipped", "missed", "pending", "lag_ms", "problem"],
    formOf(options),
    "no sinks are configured; see sinks: in vedette.yaml",
  );
}

interface TestOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly version: string;
}

/** Sends one record that says what it is, with the sink's own code and settings; positions and counts are left as they are. */
export async function test(name: string, options: TestOptions): Promise<void> {
  const loaded = loadConfig(options.config, process.env);
  const problems = await checkSinks(loaded);
  if (problems.length > 0) throw new VedetteError("config_invalid", true, problems.join("\n"));
  const sink = configuredSinks(loaded).find((one) => one.name === name);
  if (!sink)
    throw new VedetteError(
      "config_invalid",
      true,
      `no sink "${name}" in ${loaded.file ?? "the configuration"}; configured: ${Object.keys(loaded.config.sinks).join(", ") || "none"}`,
    );
  const spec = (await sinks()).get(sink.type)!;
  const opened = await spec.open({
    name,
    config: spec.config.parse(sink.config ?? {}),
    clock: systemClock,
    hostname: hostname(),
    version: options.version,
    writeTable,
  });
  const record = outgoing(testParcel(loaded.config.tenant), sink.format, options.version);
  const begun = performance.now();
  // each sink has a deadline of its own
  const delivery = await opened.send([record], new AbortController().signal);
  await opened.close();
  const taken = delivery.outcome === "answered" && (delivery.refused ?? []).length === 0 && (delivery.later ?? []).length === 0;
  const said = delivery.outcome === "answered" ? (delivery.refused?.[0]?.reason ?? delivery.answer) : delivery.reason;
  if (options.json)
    process.stdout.write(`${jsonText({ sink: name, type: sink.type, id: record.id, taken, outcome: delivery.outcome, answer: said })}\n`);
  else
    process.stdout.write(
      `${taken ? "taken" : "NOT taken"} (${delivery.outcome}) after ${Math.round(performance.now() - begun)} ms by ${name} (${sink.type}): ${safe(said)}\n  id ${record.id}\n  sent ${safe(record.body).slice(0, 500)}\n`,
    );
  if (!taken) process.exitCode = 1;
}

function testParcel(tenant: string): Parcel {
  const now = systemClock.now();
  const fields = Object.assign(newFields(), {
    "@timestamp": formatTime(now),
    "ecs.version": "8.17.0",
    "event.kind": "event",
    "event.module": "vedette",
    "event.dataset": "vedette.test",
    "event.action": "vedette_sink_test",
    "host.name": hostname(),
    message: "Test record from Vedette: it reports nothing. Whoever reads this has set the sink up right.",
    "vedette.test": true,
    "vedette.tenant": tenant,
  });
  return { id: `test.${now}`, kind: "event", time: now, severity: "informational", name: "vedette_sink_test", host: hostname(), fields };
}
