/** The `prometheus_scrape` source: reads what exporters show, as Prometheus does. What a line means is the format's business. */
import { defineSource, type SourceContext, VedetteError, z } from "@vedette/kit";
import { batchesOf } from "../batch.ts";
import { deliver } from "../deliver.ts";
import { recordBytes } from "../endpoint_config.ts";
import { nonce } from "../nonce.ts";
import { type Answered, ask, pollMembers, targetUrl } from "../polled/fetch.ts";
import { poll } from "../polled/poll.ts";
import { cutExposition } from "../prometheus/exposition.ts";

const config = z.strictObject({
  targets: z
    .array(targetUrl)
    .min(1)
    .max(10_000)
    .describe("URLs to read, such as http://n1:9100/metrics; host and port become the label `instance`."),
  job: z.string().min(1).max(256).default("scrape").describe("Value of the label `job`."),
  labels: z
    .record(z.string().regex(/^[a-zA-Z_]\w{0,127}$/), z.string().max(1_024))
    .default({})
    .describe("Further labels of every series."),
  ...pollMembers,
  max_record_bytes: recordBytes("line in bytes"),
});
type Options = z.output<typeof config>;

/** OpenMetrics where the target has it: its counters say that they are. */
const accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

export default defineSource({
  name: "prometheus_scrape",
  asks: true,
  summary: "Reads exporters' metrics over HTTP, in Prometheus' text format or OpenMetrics.",
  description:
    "Each target is read once an interval, at its own moment within it. Beside its series it has `up` (1, or 0 when it could not be read), `scrape_duration_seconds` and `scrape_samples_scraped`, as under Prometheus. " +
    "A target that cannot be read holds nobody else up; why is among the source's warnings.",
  stability: "beta",
  config,
  examples: [
    {
      title: "The node exporter of three nodes",
      config: { targets: ["http://n1:9100/metrics", "http://n2:9100/metrics", "http://n3:9100/metrics"], job: "node" },
    },
  ],
  async run(context) {
    const { config: c, clock, signal } = context;
    await poll({ targets: c.targets, name: String, interval_s: c.interval_s, clock, signal }, (target) => scrape(target, context));
  },
});

/** One reading of one target, its own series included; nothing that a target does ends the source. */
export async function scrape(target: string, { config: c, intake, clock, signal, warn }: SourceContext<Options>): Promise<void> {
  const { host } = new URL(target);
  const time = clock.now();
  let answered: Answered | undefined;
  try {
    answered = await ask(target, c, accept, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof VedetteError)) return;
    warn("scrape_failed", error.message.slice(0, 500));
  }
  const duration_s = (clock.now() - time) / 1e6;
  const openmetrics = answered?.type.startsWith("application/openmetrics-text") ?? false;
  const preamble = JSON.stringify({ scrape: { labels: { ...c.labels, instance: host, job: c.job }, time, openmetrics } });
  const body = answered?.body ?? Buffer.alloc(0);
  const own = Buffer.from(
    `# TYPE up gauge\nup ${answered ? 1 : 0}\n# TYPE scrape_duration_seconds gauge\nscrape_duration_seconds ${duration_s}\n` +
      `# TYPE scrape_samples_scraped gauge\nscrape_samples_scraped ${samplesIn(body)}\n`,
  );
  const token = nonce(clock);
  const options = { maxRecordBytes: c.max_record_bytes, peer: host };
  const records = [...cutExposition(body, { ...options, token }), ...cutExposition(own, { ...options, token: `${token}:own` })];
  for (const batch of batchesOf(records)) {
    batch.preamble = preamble;
    if (!(await deliver(batch, { stream: target }, { intake, clock, signal }))) return;
  }
}

/** Lines that are neither blank nor comments. */
function samplesIn(body: Buffer): number {
  let count = 0;
  for (let at = 0; at >= 0 && at < body.length; ) {
    if (body[at] !== 0x23 && body[at] !== 0x0a) count++;
    const end = body.indexOf(0x0a, at);
    at = end < 0 ? -1 : end + 1;
  }
  return count;
}
