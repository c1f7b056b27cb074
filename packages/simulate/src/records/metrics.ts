/** Samples as Prometheus sends them on: one node's exporters in one request, as its JSON. Knows no meter. */
import type { Micros } from "@vedette/model";

/** A series and its values, one for each of the request's moments. */
export interface Series {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly values: readonly number[];
}

const label = (name: string, value: string): string => `{"name":"${name}","value":${JSON.stringify(value)}}`;

/** Of labels that come again with every request. */
const texts = new WeakMap<Series["labels"], string>();
function textOf(labels: Series["labels"]): string {
  let text = texts.get(labels);
  if (text === undefined) {
    text = Object.entries(labels)
      .map(([name, value]) => `,${label(name, value)}`)
      .join("");
    texts.set(labels, text);
  }
  return text;
}

/**
 * What remote write carries, in the JSON of its protobuf.
 * @param shared labels that every series has beside its own
 */
export function writeRequest(shared: { readonly [name: string]: string }, times: readonly Micros[], series: readonly Series[]): string {
  const common = textOf(shared);
  const stamps = times.map((time) => `,"timestamp":"${Math.floor(time / 1_000)}"}`);
  const lines = series.map(({ name, labels, values }) => {
    const own = `{"name":"__name__","value":"${name}"}${common}${textOf(labels)}`;
    let samples = "";
    for (let i = 0; i < values.length; i++) samples += `${i === 0 ? "" : ","}{"value":${round(values[i]!)}${stamps[i]}`;
    return `{"labels":[${own}],"samples":[${samples}]}`;
  });
  return `{"timeseries":[${lines.join(",")}]}`;
}

const round = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(12)));
