/** The `netdata` source: reads Netdata agents by their API. What a chart means is the format's business. */
import { defineSource, type SourceContext, VedetteError, z } from "@vedette/kit";
import { batchesOf, flawedRecord, rawRecord } from "../batch.ts";
import { deliver } from "../deliver.ts";
import { recordBytes } from "../endpoint_config.ts";
import { oneDocument } from "../json_scan.ts";
import { nonce } from "../nonce.ts";
import { ask, pollMembers, targetUrl } from "../polled/fetch.ts";
import { poll } from "../polled/poll.ts";

const config = z.strictObject({
  targets: z.array(targetUrl).min(1).max(10_000).describe("Agents, such as http://n1:19999; the host becomes the label `host.name`."),
  charts: z
    .array(z.string().min(1).max(256))
    .max(1_000)
    .default([])
    .describe(
      "Contexts of charts to keep, such as system.cpu; a last * stands for any rest; all where none is named. An agent has some 2,000 series.",
    ),
  ...pollMembers,
  max_record_bytes: recordBytes("chart in bytes, as JSON"),
});
type Options = z.output<typeof config>;

export default defineSource({
  name: "netdata",
  summary: "Reads Netdata agents by their API, each interval.",
  description:
    "Asks `/api/v1/allmetrics?format=json` for the newest value of every chart; Netdata has turned counters into rates already. Values are dated by when the chart was updated, so that a chart that stands still is not a new value. " +
    "An agent that cannot be read holds no other up; why is among the source's warnings.",
  stability: "beta",
  config,
  examples: [
    {
      title: "Load and disks of two nodes",
      config: { targets: ["http://n1:19999", "http://n2:19999"], charts: ["system.cpu", "system.load", "disk.*"] },
    },
  ],
  async run(context) {
    const { config: c, clock, signal } = context;
    await poll({ targets: c.targets, name: String, interval_s: c.interval_s, clock, signal }, (target) => read(target, context));
  },
});

/** A raw record is closed beyond it. */
const enough = 65_536;
type Told = { readonly [name: string]: unknown };
const isTold = (value: unknown): value is Told => typeof value === "object" && value !== null && !Array.isArray(value);

/** One reading of one agent; nothing that it answers ends the source. */
export async function read(target: string, { config: c, intake, clock, signal, warn }: SourceContext<Options>): Promise<void> {
  const { hostname, host } = new URL(target);
  const token = nonce(clock);
  let body: Buffer;
  try {
    body = (await ask(`${target.replace(/\/+$/, "")}/api/v1/allmetrics?format=json`, c, "application/json", signal)).body;
  } catch (error) {
    if (!signal.aborted && error instanceof VedetteError) warn("read_failed", error.message.slice(0, 500));
    return;
  }
  const charts = oneDocument(body);
  const records = isTold(charts)
    ? recordsOf(hostname, charts, c, (n) => `${token}:${n}`, host)
    : [flawedRecord(`${token}:0`, body, { code: "bad_json", expected: "Netdata's charts as one JSON object" }, c.max_record_bytes, host)];
  for (const batch of batchesOf(records)) if (!(await deliver(batch, { stream: target }, { intake, clock, signal }))) return;
}

function* recordsOf(host: string, charts: Told, c: Options, position: (n: number) => string, peer: string) {
  const wanted = matcher(c.charts);
  let made = 0;
  let open: string[] = [];
  let size = 0;
  const closed = () => {
    const text = `{"netdata":{"host":${JSON.stringify(host)},"charts":{${open.join(",")}}}}`;
    [open, size] = [[], 0];
    return rawRecord(position(made++), Buffer.from(text), undefined, undefined, peer);
  };
  for (const [name, chart] of Object.entries(charts)) {
    if (!wanted(isTold(chart) && typeof chart["context"] === "string" ? chart["context"] : name)) continue;
    const text = `${JSON.stringify(name)}:${JSON.stringify(chart)}`;
    if (text.length > c.max_record_bytes) {
      yield flawedRecord(position(made++), Buffer.from(text), undefined, c.max_record_bytes, peer);
      continue;
    }
    open.push(text);
    size += text.length;
    if (size >= enough) yield closed();
  }
  if (open.length > 0) yield closed();
}

function matcher(patterns: readonly string[]): (context: string) => boolean {
  if (patterns.length === 0) return () => true;
  const names = new Set(patterns.filter((one) => !one.endsWith("*")));
  const starts = patterns.filter((one) => one.endsWith("*")).map((one) => one.slice(0, -1));
  return (context) => names.has(context) || starts.some((start) => context.startsWith(start));
}
