/** Netdata's charts as its API gives them (`/api/v1/allmetrics?format=json`). Knows no transport. */
import { type DecodeResult, defineFormat, type JsonObject, type Skip, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { labelsOf, Measured } from "../metrics/measured.ts";

const notNetdata: Flaw = {
  code: "unknown_shape",
  expected: '{"netdata": {"host": …, "charts": {NAME: {context, last_updated, dimensions}}}}',
};
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** `netdata.<context>` is the name; chart, family and dimension tell its series apart. */
function decodeCharts(host: string, charts: JsonObject): Skip {
  const into = new Measured();
  for (const [name, chart] of Object.entries(charts)) {
    if (!isObject(chart) || !isObject(chart["dimensions"])) {
      into.drop("no_data");
      continue;
    }
    const updated = chart["last_updated"];
    const time = typeof updated === "number" && updated > 0 ? Math.round(updated * 1e6) : undefined;
    for (const [dimension, told] of Object.entries(chart["dimensions"])) {
      if (!isObject(told)) continue;
      const labels = labelsOf([
        ["host.name", host],
        ["chart", name],
        ["family", textOf(chart["family"])],
        ["units", textOf(chart["units"])],
        ["dimension", textOf(told["name"]) || dimension],
      ]);
      // netdata has turned counters into rates already
      const value = typeof told["value"] === "number" ? told["value"] : Number.NaN;
      into.add(`netdata.${textOf(chart["context"]) || name}`, labels, time, value, "gauge");
    }
  }
  return into.done();
}

function chartsOf({ netdata }: JsonObject): { readonly host: string; readonly charts: JsonObject } | undefined {
  return isObject(netdata) && isObject(netdata["charts"]) ? { host: textOf(netdata["host"]), charts: netdata["charts"] } : undefined;
}

function decodeDocument(object: JsonObject): DecodeResult {
  const told = chartsOf(object);
  return told === undefined ? notNetdata : decodeCharts(told.host, told.charts);
}

export default defineFormat({
  name: "netdata",
  summary: "Netdata's charts, as its API gives them.",
  description:
    "Each dimension of a chart becomes a sample of the series `netdata.<context>` with the labels host.name, chart, family, units and dimension, at the time the chart was last updated.",
  stability: "beta",
  config: z.strictObject({}),
  // its documents come among others, and are told from them there
  detect: () => 0,
  decoder: () => (text) => {
    if (!looksLikeObject(text)) return notNetdata;
    const parsed = parseObject(text);
    return isFlaw(parsed) ? parsed : decodeDocument(parsed);
  },
  json: { anyOf: ["netdata"], claims: (object) => (chartsOf(object) === undefined ? 0 : 1), decode: decodeDocument },
  examples: [
    {
      title: "two dimensions of a chart",
      input:
        '{"netdata":{"host":"n1","charts":{"system.cpu":{"name":"system.cpu","family":"cpu","context":"system.cpu","units":"percentage","last_updated":1714557600,"dimensions":{"user":{"name":"user","value":2.5},"iowait":{"name":"iowait","value":null}}}}}}',
      expect: {
        samples: [
          'netdata.system.cpu{chart="system.cpu",dimension="user",family="cpu",host.name="n1",units="percentage"} 2.5 gauge 2024-05-01T10:00:00.000000Z',
        ],
        dropped: { not_a_number: 1 },
      },
    },
    { title: "another document", input: '{"netdata":[]}', expect: { flaw: "unknown_shape" } },
  ],
});
