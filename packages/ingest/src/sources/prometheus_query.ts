/** The `prometheus_query` source: asks an existing Prometheus its own questions (PromQL), again and again. What a value means is the format's business. */
import { defineSource, type SourceContext, VedetteError, z } from "@vedette/kit";
import { batchesOf } from "../batch.ts";
import { deliver } from "../deliver.ts";
import { recordBytes } from "../endpoint_config.ts";
import { oneDocument } from "../json_scan.ts";
import { nonce } from "../nonce.ts";
import { ask, pollMembers, targetUrl } from "../polled/fetch.ts";
import { poll } from "../polled/poll.ts";
import { type Series, SeriesCutter } from "../prometheus/write.ts";

const query = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z_:][\w:.]{0,255}$/)
    .describe("Name of the series it makes."),
  query: z.string().min(1).max(16_384).describe("PromQL whose answer is a vector or a scalar."),
});
const config = z.strictObject({
  url: targetUrl.describe("Where it is: its API is below `/api/v1`."),
  queries: z.array(query).min(1).max(1_000).describe("What to ask: {name, query}."),
  ...pollMembers,
  max_record_bytes: recordBytes("series in bytes, as JSON"),
});
type Options = z.output<typeof config>;

export default defineSource({
  name: "prometheus_query",
  asks: true,
  summary: "Asks an existing Prometheus by PromQL, each interval.",
  description:
    "Each query is an instant query; its values become samples of a series of the query's name, with the labels of the answer. What cannot be asked or is refused (a mistake in PromQL) is among the source's warnings, and the other queries go on. " +
    "Whatever speaks Prometheus' query API is asked the same way: Thanos, Mimir, VictoriaMetrics.",
  stability: "beta",
  config,
  examples: [
    {
      title: "The busiest processes' share, each minute",
      config: {
        url: "http://prometheus:9090",
        queries: [{ name: "job_cpu_share", query: "sum by (instance) (rate(node_cpu_seconds_total{mode!='idle'}[5m]))" }],
        interval_s: 60,
      },
    },
  ],
  async run(context) {
    const { config: c, clock, signal } = context;
    await poll({ targets: c.queries, name: (one) => one.name, interval_s: c.interval_s, clock, signal }, (one) => instant(one, context));
  },
});

/** One asking of one query; nothing that is answered ends the source. */
export async function instant(
  one: z.output<typeof query>,
  { config: c, intake, clock, signal, warn }: SourceContext<Options>,
): Promise<void> {
  const time_s = Math.floor(clock.now() / 1e3) / 1e3;
  const url = `${c.url.replace(/\/+$/, "")}/api/v1/query?${new URLSearchParams({ query: one.query, time: String(time_s) })}`;
  let series: readonly Series[];
  try {
    series = seriesOf(one.name, oneDocument((await ask(url, c, "application/json", signal)).body));
  } catch (error) {
    if (!signal.aborted)
      warn("query_failed", `${one.name}: ${(error instanceof VedetteError ? error.message : "no answer to a query").slice(0, 500)}`);
    return;
  }
  const cutter = new SeriesCutter({ token: nonce(clock), maxRecordBytes: c.max_record_bytes, peer: new URL(c.url).host });
  for (const batch of batchesOf(cutter.records(series)))
    if (!(await deliver(batch, { stream: one.name }, { intake, clock, signal }))) return;
}

type Told = { readonly [name: string]: unknown };
const isTold = (value: unknown): value is Told => typeof value === "object" && value !== null && !Array.isArray(value);

/** `{status, data: {resultType, result}}`: a vector of `{metric, value: [seconds, text]}`, or one value. @throws where it is none of it */
function seriesOf(name: string, answer: unknown): readonly Series[] {
  const data = isTold(answer) && answer["status"] === "success" ? answer["data"] : undefined;
  if (!isTold(data)) throw new Error("no answer to a query");
  const { resultType, result } = data;
  const sample = (value: unknown) => {
    const [seconds, text] = Array.isArray(value) ? (value as readonly unknown[]) : [];
    return { value: text, timestamp: typeof seconds === "number" ? Math.round(seconds * 1_000) : undefined };
  };
  if (resultType === "scalar") return [{ labels: [{ name: "__name__", value: name }], type: 2, samples: [sample(result)] }];
  if (resultType !== "vector" || !Array.isArray(result)) throw new Error("neither a vector nor a scalar");
  return (result as readonly unknown[]).filter(isTold).map(({ metric, value }) => {
    const labels = Object.entries(isTold(metric) ? metric : {}).flatMap(([label, text]) =>
      label === "__name__" || typeof text !== "string" ? [] : [{ name: label, value: text }],
    );
    // what a query computes is read off, whatever it was computed from
    return { labels: [{ name: "__name__", value: name }, ...labels], type: 2, samples: [sample(value)] };
  });
}
