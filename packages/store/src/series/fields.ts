/** A series as conditions see it: the same to whoever searches series and to detectors of samples. Knows no file. */
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
