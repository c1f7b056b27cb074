/** Prometheus metrics: what instruments counted, what the runtime says when asked, what this process takes. Knows no component. */
import {
  type Clock,
  collectFromThreads,
  defineCounter,
  defineHistogram,
  durations,
  type MetricFamily,
  type MetricReading,
  readInstruments,
} from "@vedette/kit";
import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, type Metric, type MetricObjectWithValues, type MetricValue, Registry } from "prom-client";
import type { ServerOptions } from "../ports.ts";
import type { RouteContext } from "../routes/context.ts";
import { metricGroups } from "./groups.ts";

/** A group that does not answer is left out: what stopped must not hide what still says so. Below the ten seconds after which a scraper gives up. */
const patience_ms = 5_000;
/** Delay of the event loop is looked at so often: ten times as often as a tick, and no load by itself. */
const loopPrecision_ms = 20;

const requests = defineHistogram(
  "http_request_duration_seconds",
  "Time to answer, by route, method and status.",
  ["route", "method", "status"],
  [0.005, 0.02, 0.1, 0.3, 1, 3, 10],
);
const endpointRequests = defineHistogram(
  "endpoint_request_duration_seconds",
  "Time to take in what senders brought to an endpoint, by whether it was taken.",
  ["endpoint", "outcome"],
  durations,
);
const alertChanges = defineCounter("alerts_total", "Alerts that were raised, and further changes of them, by severity.", [
  "severity",
  "what",
]);

const scrapeFamily: MetricFamily = {
  name: "vedette_scrape_group_missing",
  help: "1 for a group of metrics that could not be read now.",
  type: "gauge",
  labels: ["group"],
};

/** Every metric this server can tell, by its description; those of the process aside, which the client library describes. */
export async function describedMetrics(): Promise<readonly MetricFamily[]> {
  const counted = (await readInstruments()).map(({ family }) => family);
  return [...counted, ...metricGroups.flatMap(({ families }) => families), scrapeFamily].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export class Metrics {
  readonly #registry = new Registry();
  readonly contentType = this.#registry.contentType;
  readonly #context: RouteContext;

  constructor(context: RouteContext) {
    this.#context = context;
    collectFromThreads();
    collectDefaultMetrics({ prefix: "vedette_", register: this.#registry, eventLoopMonitoringPrecision: loopPrecision_ms });
    context.options.runtime.subscribe((notice) => {
      if (notice.kind !== "alert") return;
      const { severity, created, updated } = notice.alert;
      alertChanges.add(1, severity, created === updated ? "raised" : "changed");
    });
  }

  /** Measures every route; the stream never answers and is not measured. */
  watch(app: FastifyInstance): void {
    const endpoints = endpointsOf(this.#context.options);
    app.addHook("onResponse", async (request, reply) => {
      const route = request.is404 ? "(none)" : (request.routeOptions.url ?? "(none)");
      const took = reply.elapsedTime / 1_000;
      requests.observe(took, route, request.method, String(reply.statusCode));
      const endpoint = endpoints.get(`${request.method} ${route}`);
      if (endpoint !== undefined) endpointRequests.observe(took, endpoint, outcomeOf(reply.statusCode));
    });
  }

  async text(): Promise<string> {
    const groups = metricGroups.map(async (one) => {
      const readings = await within(one.read(this.#context), this.#context.clock);
      return { name: one.name, readings };
    });
    const told = await Promise.all(groups);
    const missing = { family: scrapeFamily, series: told.map(({ name, readings }) => ({ labels: [name], values: [readings ? 0 : 1] })) };
    const registry = new Registry();
    for (const reading of [...told.flatMap(({ readings }) => readings ?? []), missing, ...(await readInstruments())])
      registry.registerMetric(metricOf(reading));
    return Registry.merge([this.#registry, registry]).metrics();
  }
}

function endpointsOf({ endpoints }: ServerOptions): ReadonlyMap<string, string> {
  return new Map([...endpoints].flatMap(([name, { spec }]) => spec.routes.map(({ method, path }) => [`${method} ${path}`, name] as const)));
}

/** `refused`: the sender is at fault; `slowed`: it shall come again; `failed`: we are. */
function outcomeOf(status: number): string {
  if (status < 400) return "taken";
  if (status === 429 || status === 503) return "slowed";
  return status < 500 ? "refused" : "failed";
}

/** @returns undefined where it failed or took too long */
async function within<T>(answer: Promise<T>, clock: Clock): Promise<T | undefined> {
  const answered = new AbortController();
  const late = clock.sleep(patience_ms, answered.signal).then(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } catch {
    return undefined;
  } finally {
    answered.abort();
  }
}

/** As the client library prints it. */
function metricOf({ family, series }: MetricReading): Metric<string> {
  const { name, help, type, labels, buckets } = family;
  const values = series.flatMap((one) => {
    const of = Object.fromEntries(labels.map((label, i) => [label, one.labels[i] ?? ""]));
    return buckets === undefined ? [{ value: one.values[0]!, labels: of }] : histogramValues(name, buckets, one.values, of);
  });
  const get = async () => ({ name, help, type, values, aggregator: "sum" }) as unknown as MetricObjectWithValues<MetricValue<string>>;
  return { name, help, get, reset: () => undefined } as unknown as Metric<string>;
}

function histogramValues(
  name: string,
  buckets: readonly number[],
  [sum = 0, ...counts]: readonly number[],
  labels: { readonly [label: string]: string },
) {
  let below = 0;
  const cumulative = counts.map((n, i) => {
    below += n;
    return { metricName: `${name}_bucket`, value: below, labels: { ...labels, le: i < buckets.length ? String(buckets[i]) : "+Inf" } };
  });
  return [...cumulative, { metricName: `${name}_sum`, value: sum, labels }, { metricName: `${name}_count`, value: below, labels }];
}
