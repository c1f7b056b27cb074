/** `vedette metrics`: series by name and label, what they came to over time, and what became of each source's samples. */
import { jsonText } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { formOf, printRows, rangeOf } from "../output.ts";

interface Options extends ServerOptions {
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
  readonly output?: string;
  readonly json?: boolean;
}
interface SeriesLine {
  readonly source: string;
  readonly name: string;
  readonly kind: string;
  readonly labels: { readonly [name: string]: string };
}

/** As Prometheus writes it. */
const shown = ({ name, labels }: SeriesLine): string =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(",")}}`;

function tellMore(more: boolean): void {
  if (more) process.stderr.write("there are more series; --limit shows more of them\n");
}

export async function list(q: string, options: Options): Promise<void> {
  const asked = { q, ...rangeOf(options), limit: options.limit };
  const { series, more } = await connect(options).get("/metrics/series", { query: asked });
  const form = formOf(options);
  const rows =
    form === "json" || form === "ndjson"
      ? series.map((one) => ({ ...one }))
      : series.map((one) => ({ source: one.source, kind: one.kind, series: shown(one) }));
  printRows(rows, ["source", "kind", "series"], form, "no series matches; without --since the past hour is looked at");
  tellMore(more);
}

export async function range(q: string, options: Options & { readonly step?: number; readonly function?: string }): Promise<void> {
  const found = await connect(options).get("/metrics/query", {
    query: {
      q,
      ...rangeOf(options),
      limit: options.limit,
      step_s: options.step,
      function: options.function as "avg" | undefined,
    },
  });
  const form = formOf(options);
  if (form === "json") process.stdout.write(`${jsonText(found, 2)}\n`);
  else {
    const rows = found.series.flatMap((one) => one.points.map(([time, value]) => ({ time, value, series: shown(one) })));
    printRows(rows, ["time", "value", "series"], form, "no sample in the range");
  }
  tellMore(found.more);
}

export async function sources(options: ServerOptions & { readonly output?: string; readonly json?: boolean }): Promise<void> {
  const { sources: all } = await connect(options).get("/metrics/sources");
  printRows(
    all,
    ["source", "series", "limit", "kept", "repeated", "refused", "refused_series"],
    formOf(options),
    "no source has sent samples",
  );
}
