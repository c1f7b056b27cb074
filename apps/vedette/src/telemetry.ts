/** Wires traces: what is wrapped where they are wanted, and who they are sent to. Measures nothing itself. */
import { hostname } from "node:os";
import type { Clock } from "@vedette/kit";
import { otlpTraces, Tracer, traced } from "@vedette/pipeline";
import type { Config } from "./config/schema.ts";
import { post } from "./post.ts";

const every_ms = 5_000;

export interface Telemetry {
  /** The same parts where no traces are wanted. */
  readonly over: (parts: Parameters<typeof traced>[0]) => Parameters<typeof traced>[0];
  /** Sends until the signal, and then what is left. */
  run(signal: AbortSignal): Promise<void>;
}

const none: Telemetry = { over: (parts) => parts, run: async () => {} };

export function openTelemetry(
  { telemetry, name, log }: Config,
  {
    directory,
    version,
    clock,
    say,
  }: { readonly directory: string; readonly version: string; readonly clock: Clock; say(text: string): void },
): Telemetry {
  const { otlp, ratio, token_file } = telemetry;
  if (otlp === undefined) return none;
  if (log.driver !== "segments") {
    say("telemetry: traces are of one process; none are made where log.driver is not segments");
    return none;
  }
  const tracer = new Tracer({ installation: `${hostname()} ${directory}`, ratio });
  const url = new URL(`${otlp.replace(/\/$/, "")}/v1/traces`);
  const service = { "service.name": name, "service.version": version, "host.name": hostname() };
  let failing = false;
  const send = async (signal: AbortSignal) => {
    const spans = tracer.take();
    if (spans.length === 0) return;
    try {
      await post(url, token_file, otlpTraces(spans, service), signal);
      failing = false;
    } catch (e) {
      tracer.lost(spans);
      if (!failing) say(`telemetry: ${(e as Error).message}`);
      failing = true;
    }
  };
  return {
    over: (parts) => traced(parts, tracer, clock),
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(every_ms, signal);
        await send(new AbortController().signal);
      }
    },
  };
}
