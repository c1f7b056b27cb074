/** Samples as Prometheus sends them on: one node's exporters in one request, as its JSON. Knows no meter. */
import type { Micros } from "@vedette/model";

/** A series and its values, one for each of the request's moments. */
export interface Series {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly values: readonly number[];
}

const label = (name: string, value: string): string => `{"name":"${name}","value":${JSON.stringify(value)}}`;

/**
 * What remote write carries, in the JSON of its protobuf.
 * @param shared labels that every series has beside its own
 */
export function writeRequest(shared: { readonly [name: string]: string }, times: readonly Micros[], series: readonly Series[]): string {
  const common = Object.entries(shared)
    .map(([name, value]) => `,${label(name, value)}`)
    .join("");
  const stamps = times.map((time) => `,"timestamp":"${Math.floor(time / 1_000)}"}`);
  const texts = series.map(({ name, labels, values }) => {
    let own = label("__name__", name) + common;
    for (const key in labels) own += `,${label(key, labels[key]!)}`;
    let samples = "";
    for (let i = 0; i < values.length; i++) samples += `${i === 0 ? "" : ","}{"value":${round(values[i]!)}${stamps[i]}`;
    return `{"labels":[${own}],"samples":[${samples}]}`;
  });
  return `{"timeseries":[${texts.join(",")}]}`;
}

const round = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(12)));
