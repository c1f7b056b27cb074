/** Prometheus' series: the text that a scrape reads, and what remote write and PromQL give, as JSON. Knows no transport. */
import { type DecodeContext, type DecodeResult, defineFormat, type JsonObject, z } from "@vedette/kit";
import type { Flaw, Micros } from "@vedette/model";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { type Labels, labelsOf, Measured } from "../metrics/measured.ts";
import { decodeSeries } from "../prometheus/series.ts";
import { decodeExposition, type Exposition } from "../prometheus/text.ts";

const notPrometheus: Flaw = { code: "unknown_shape", expected: 'Prometheus\' text format, or {"timeseries": [{labels, samples}]}' };
const isScrape = (preamble: string | undefined): preamble is string => preamble?.startsWith('{"scrape":') === true;

/** What the scraper says of a target, before its text. */
function expositionOf({ preamble, received }: DecodeContext): Exposition {
  const none = { labels: [] as Labels, time: received, openmetrics: false };
  if (!isScrape(preamble)) return none;
  const parsed = parseObject(preamble);
  const scrape = isFlaw(parsed) ? undefined : parsed["scrape"];
  if (!isObject(scrape)) return none;
  const { labels, time, openmetrics } = scrape;
  const pairs = isObject(labels) ? Object.entries(labels).filter((one): one is [string, string] => typeof one[1] === "string") : [];
  return { labels: labelsOf(pairs), time: typeof time === "number" ? (time as Micros) : received, openmetrics: openmetrics === true };
}

/** One preamble serves all records of a scrape. */
function remembering(): (context: DecodeContext) => Exposition {
  let last: { readonly preamble: string; readonly exposition: Exposition } | undefined;
  return (context) => {
    const { preamble } = context;
    if (preamble === undefined) return expositionOf(context);
    if (last?.preamble !== preamble) last = { preamble, exposition: expositionOf(context) };
    return last.exposition;
  };
}

const decodeDocument = (object: JsonObject): DecodeResult => (Array.isArray(object["timeseries"]) ? decodeSeries(object) : notPrometheus);

export default defineFormat({
  name: "prometheus",
  summary: "Prometheus' series, from a scrape's text, remote write or PromQL.",
  description:
    "Values become samples of series, not events. What a series is (counter, gauge) is what TYPE or the metadata says, else what its name's ending says (`_total`, `_count`, `_sum`, `_bucket`). " +
    "Native histograms are reduced to bounds at powers of two. Values that are no finite numbers are left out and counted.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (_sample, preamble) => (isScrape(preamble) ? 1 : 0),
  decoder() {
    const exposition = remembering();
    return (text, context) => {
      if (!isScrape(context.preamble) && looksLikeObject(text)) {
        const parsed = parseObject(text);
        return isFlaw(parsed) ? parsed : decodeDocument(parsed);
      }
      const into = new Measured();
      decodeExposition(text, exposition(context), into);
      return into.done();
    };
  },
  json: { anyOf: ["timeseries"], claims: (object) => (Array.isArray(object["timeseries"]) ? 1 : 0), decode: decodeDocument },
  examples: [
    {
      title: "a scrape of the node exporter",
      preamble: '{"scrape":{"labels":{"instance":"n1:9100","job":"node"},"time":1714557600000000}}',
      input:
        '# TYPE node_cpu_seconds_total counter\nnode_cpu_seconds_total{cpu="0",mode="idle"} 1.5e3\n# TYPE node_load1 gauge\nnode_load1 0.25 1714557601000\nbroken{ 1\n',
      expect: {
        samples: [
          'node_cpu_seconds_total{cpu="0",instance="n1:9100",job="node",mode="idle"} 1500 counter 2024-05-01T10:00:00.000000Z',
          'node_load1{instance="n1:9100",job="node"} 0.25 gauge 2024-05-01T10:00:01.000000Z',
        ],
        dropped: { bad_line: 1 },
      },
    },
    {
      title: "OpenMetrics, with an exemplar, a timestamp in seconds and a name in quotes",
      preamble: '{"scrape":{"labels":{"job":"shop"},"time":1714557600000000,"openmetrics":true}}',
      input:
        '# TYPE requests counter\nrequests_total{code="200",job="own"} 17 1714557601.5 # {trace_id="a"} 1\nrequests_created 1\n{"http.duration",le="+Inf"} 3\n# EOF\n',
      expect: {
        samples: [
          'requests_total{code="200",exported_job="own",job="shop"} 17 counter 2024-05-01T10:00:01.500000Z',
          'http.duration{job="shop",le="+Inf"} 3 gauge 2024-05-01T10:00:00.000000Z',
        ],
        dropped: { created: 1 },
      },
    },
    {
      title: "a series of remote write that ended",
      input:
        '{"timeseries":[{"labels":[{"name":"__name__","value":"up"},{"name":"job","value":"node"}],"samples":[{"value":1,"timestamp":"1714557600000"},{"value":"NaN","timestamp":"1714557615000"}]}]}',
      expect: { samples: ['up{job="node"} 1 gauge 2024-05-01T10:00:00.000000Z'], dropped: { not_a_number: 1 } },
    },
    {
      title: "a native histogram",
      input:
        '{"timeseries":[{"labels":[{"name":"__name__","value":"d"}],"histograms":[{"countInt":"6","sum":9.5,"schema":0,"zeroCountInt":"1","positiveSpans":[{"offset":0,"length":2},{"offset":1,"length":1}],"positiveDeltas":["1","1","0"],"timestamp":"1714557600000"}]}]}',
      expect: {
        samples: [
          'd_bucket{le="1"} 2 counter 2024-05-01T10:00:00.000000Z',
          'd_bucket{le="2"} 4 counter 2024-05-01T10:00:00.000000Z',
          'd_bucket{le="4"} 4 counter 2024-05-01T10:00:00.000000Z',
          'd_bucket{le="8"} 6 counter 2024-05-01T10:00:00.000000Z',
          'd_bucket{le="+Inf"} 6 counter 2024-05-01T10:00:00.000000Z',
          "d_count{} 6 counter 2024-05-01T10:00:00.000000Z",
          "d_sum{} 9.5 counter 2024-05-01T10:00:00.000000Z",
        ],
      },
    },
    { title: "another document", input: '{"timeseries":7}', expect: { flaw: "unknown_shape" } },
  ],
});
