/** A series as conditions see it: the same to whoever searches series and to detectors of samples. Knows no file. */
import { always, masked, sightOf, type View } from "@vedette/condition";
import { newFields } from "@vedette/kit";
import type { Fields, Sample } from "@vedette/model";

/** Labels that name the host a series is of, as exporters and OpenTelemetry have them, most telling first. */
const hostLabels = ["host.name", "host_name", "nodename", "node", "hostname", "instance"];
const serviceLabels = ["service.name", "service_name", "service"];

/** `192.0.2.1:9100`, `[2001:db8::1]:9100` and `n1:9100` without the port. */
const withoutPort = (text: string): string => /^\[?([^\]]+?)\]?:\d{1,5}$/.exec(text)?.[1] ?? text;

export function seriesFields(source: string, { name, kind, labels }: Pick<Sample, "name" | "kind" | "labels">): Fields {
  const fields = newFields();
  fields["event.kind"] = "metric";
  fields["event.dataset"] = "vedette.metric";
  fields["vedette.source"] = source;
  fields["metric.name"] = name;
  fields["metric.kind"] = kind;
  for (const [label, value] of labels) fields[`labels.${label}`] = value;
  const host = hostLabels.map((label) => fields[`labels.${label}`]).find((one) => one !== undefined);
  if (host !== undefined) fields["host.name"] = withoutPort(String(host));
  const service = serviceLabels.map((label) => fields[`labels.${label}`]).find((one) => one !== undefined);
  if (service !== undefined) fields["service.name"] = service;
  return fields;
}

/** What a label tells under another name, and the labels that tell it: who masks one masks the other. */
const told: readonly (readonly [field: string, labels: readonly string[]])[] = [
  ["host.name", hostLabels],
  ["service.name", serviceLabels],
];

/** The view as it is of series: a mask of the host is one of the labels that name it, and the other way round. */
export function seriesView({ parts }: View): View {
  return {
    parts: parts.map(({ rows, masks }) => {
      const shows = sightOf({ parts: [{ rows: always, masks }] })({ fields: {} })!;
      const also = told.flatMap(([field, labels]) => {
        const names = labels.map((one) => `labels.${one}`);
        return [field, ...names].every(shows) ? [] : [field, ...names];
      });
      return { rows, masks: [...new Set([...masks, ...also])] };
    }),
  };
}

type Named = { readonly source: string; readonly name: string; readonly labels: { readonly [name: string]: string } };

/** A series with the names that are shown of it. */
export function shownSeries<S extends Named & Pick<Sample, "kind">>(series: S, sight: ReturnType<typeof sightOf>): S {
  const { source, name, labels } = series;
  const shows = sight({ fields: seriesFields(source, { ...series, labels: Object.entries(labels) }) }) ?? (() => false);
  const show = (field: string, value: string) => (shows(field) ? value : masked);
  const shown = Object.entries(labels).map(([label, value]) => [label, show(`labels.${label}`, value)] as const);
  return { ...series, source: show("vedette.source", source), name: show("metric.name", name), labels: Object.fromEntries(shown) };
}
