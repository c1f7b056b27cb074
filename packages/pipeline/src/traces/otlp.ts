/** Spans as an OTLP/HTTP request in JSON (opentelemetry-proto 1.x, ExportTraceServiceRequest). Sends nothing. */
import type { Span } from "./tracer.ts";

const internal = 1;

export function otlpTraces(spans: readonly Span[], service: { readonly [name: string]: string }): object {
  const attribute = ([key, value]: readonly [string, string | number]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(Math.round(value)) } : { stringValue: value },
  });
  return {
    resourceSpans: [
      {
        resource: { attributes: Object.entries(service).map(attribute) },
        scopeSpans: [
          {
            scope: { name: "vedette" },
            spans: spans.map(({ trace, id, parent, stage, from, to, attributes }) => ({
              traceId: trace,
              spanId: id,
              ...(parent !== undefined && { parentSpanId: parent }),
              name: stage,
              kind: internal,
              // beyond what a double holds: nanoseconds are text
              startTimeUnixNano: `${from}000`,
              endTimeUnixNano: `${to}000`,
              attributes: Object.entries(attributes).map(attribute),
            })),
          },
        ],
      },
    ],
  };
}
