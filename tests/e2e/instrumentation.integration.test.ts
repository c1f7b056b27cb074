/** Libraries with which programs tell of themselves, against a running Vedette that is killed and started again under them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chance } from "@vedette/kit";
import { afterAll, describe, expect, test } from "vitest";
import { instrumentation, present, SteadyVedette, tally } from "./clients.ts";
import { freePort } from "./free_port.ts";
import { settledLedger } from "./vedette.ts";

const total = 1_000;
const perBatch = 50;
const key = "shared by both";
const folder = mkdtempSync(join(tmpdir(), "vedette-instrumentation-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const numbered =
  (mark: string) =>
  (text: string): number =>
    Number(new RegExp(`\\b${mark}=(\\d+)\\b`).exec(text)?.[1] ?? -1);

/** Sends the numbers it is given; those it gives back were not acknowledged, and may have been taken all the same. */
type Send = (numbers: readonly number[]) => Promise<readonly number[]>;
/**
 * @param dying whether the server is being killed: a library sends once more by itself on a connection that it had kept and finds closed
 * @returns what was, or may have been, sent more than once
 */
async function sendAll(send: Send, reached: () => void, dying: () => boolean): Promise<Set<number>> {
  const again = new Set<number>();
  for (let sent = 0; sent < total; sent += perBatch) {
    let numbers: readonly number[] = Array.from({ length: perBatch }, (_, i) => sent + i);
    for (;;) {
      const [under, before] = [numbers, dying()];
      numbers = await send(numbers);
      if (before || dying()) for (const n of under) again.add(n);
      if (numbers.length === 0) break;
      for (const n of numbers) again.add(n);
      // as a client waits
      await new Promise((r) => setTimeout(r, 100));
    }
    reached();
  }
  return again;
}

interface Result {
  readonly code: number;
}
interface Exporter<T> {
  export(items: T, done: (result: Result) => void): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}
type Class<T> = new (options: object) => T;

/** Hands on to an exporter, and remembers whether all went well. */
class Watched<T> implements Exporter<T> {
  fine = true;
  readonly #exporter: Exporter<T>;
  constructor(exporter: Exporter<T>) {
    this.#exporter = exporter;
  }
  export(items: T, done: (result: Result) => void): void {
    this.#exporter.export(items, (result) => {
      if (result.code !== 0) this.fine = false;
      done(result);
    });
  }
  forceFlush = () => this.#exporter.forceFlush();
  shutdown = () => this.#exporter.shutdown();
}
const batches = { maxExportBatchSize: perBatch, scheduledDelayMillis: 600_000, exportTimeoutMillis: 60_000 };
/** Without the library's own second attempts nobody could tell how often it sent. */
const once = { timeoutMillis: 30_000, maxAttempts: 1 };

async function flushed(watched: Watched<unknown>, flush: () => Promise<void>, numbers: readonly number[]): Promise<readonly number[]> {
  watched.fine = true;
  await flush().catch(() => {
    watched.fine = false;
  });
  return watched.fine ? [] : numbers;
}

function logsBy(exporterName: string, url: string, headers: object): Send {
  const { LoggerProvider, BatchLogRecordProcessor } = instrumentation("@opentelemetry/sdk-logs") as {
    LoggerProvider: Class<{ getLogger(name: string): { emit(record: object): void }; forceFlush(): Promise<void> }>;
    BatchLogRecordProcessor: Class<object>;
  };
  const { OTLPLogExporter } = instrumentation(exporterName) as { OTLPLogExporter: Class<Exporter<unknown>> };
  const exporter = new Watched(new OTLPLogExporter({ url, headers, ...once }));
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter, ...batches })] });
  const logger = provider.getLogger("test");
  return (numbers) => {
    for (const n of numbers) logger.emit({ body: `log=${n}`, attributes: { attempt: n } });
    return flushed(exporter, () => provider.forceFlush(), numbers);
  };
}

function spansBy(port: number, token: string): Send {
  const { TracerProvider, BatchSpanProcessor } = instrumentation("@opentelemetry/sdk-trace") as {
    TracerProvider: Class<{ getTracer(name: string): { startSpan(name: string): { end(): void } }; forceFlush(): Promise<void> }>;
    BatchSpanProcessor: Class<object>;
  };
  const { OTLPTraceExporter } = instrumentation("@opentelemetry/exporter-trace-otlp-grpc") as {
    OTLPTraceExporter: Class<Exporter<unknown>>;
  };
  const { Metadata } = instrumentation("@grpc/grpc-js") as { Metadata: Class<{ set(name: string, value: string): void }> };
  const metadata = new Metadata({});
  metadata.set("authorization", `Bearer ${token}`);
  const exporter = new Watched(new OTLPTraceExporter({ url: `http://127.0.0.1:${port}`, metadata, ...once }));
  const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter, ...batches })] });
  const tracer = provider.getTracer("test");
  return (numbers) => {
    for (const n of numbers) tracer.startSpan(`span=${n}`).end();
    return flushed(exporter, () => provider.forceFlush(), numbers);
  };
}

function forwardBy(port: number): { readonly send: Send; readonly close: () => Promise<void> } {
  const { FluentClient } = instrumentation("@fluent-org/logger") as {
    FluentClient: new (
      tag: string,
      options: object,
    ) => {
      emit(record: object): Promise<void>;
      disconnect(): Promise<void>;
      readonly socketOn: (event: string, listener: () => void) => void;
    };
  };
  const client = new FluentClient("app", {
    eventMode: "CompressedPackedForward",
    ack: { ackTimeout: 10_000 },
    flushInterval: 5,
    security: { clientHostname: "test", sharedKey: key },
    socket: { host: "127.0.0.1", port, timeout: 5_000 },
    // what stands between, as it is when the other side dies, is told by each record's own promise
    onSocketError: () => {},
  });
  const send: Send = async (numbers) => {
    const results = await Promise.allSettled(numbers.map((n) => client.emit({ message: `chunk=${n}` })));
    return numbers.filter((_, i) => results[i]!.status === "rejected");
  };
  return { send, close: () => client.disconnect() };
}

function hecBy(url: string, token: string): Send {
  const { Logger } = instrumentation("splunk-logging") as {
    Logger: Class<{
      error: () => void;
      send(event: object, done: (error: unknown, response: unknown, body?: { code?: number }) => void): void;
    }>;
  };
  const logger = new Logger({ token, url, maxRetries: 0, maxBatchCount: perBatch });
  logger.error = () => {};
  return (numbers) =>
    new Promise((resolve) => {
      // the call that fills the batch sends it
      for (const [i, n] of numbers.entries())
        logger.send({ message: `hec=${n}` }, (error, _response, body) => {
          if (i === numbers.length - 1 || error) resolve(!error && body?.code === 0 ? [] : numbers);
        });
    });
}

describe.skipIf(!present.instrumentation)("libraries within programs", () => {
  test("OpenTelemetry over HTTP and gRPC, Fluent's logger and Splunk's: nothing is lost, and twice is at most what was sent twice", {
    timeout: 300_000,
  }, async () => {
    const [grpc, forward] = [await freePort(), await freePort()];
    const keyFile = join(folder, "key");
    writeFileSync(keyFile, `${key}\n`);
    const v = new SteadyVedette(
      `sources:\n  spans: { otlp_grpc: { tcp: "127.0.0.1:${grpc}" } }\n  chunks: { fluent_forward: { tcp: "127.0.0.1:${forward}", shared_key_file: "${keyFile}" } }\n`,
    );
    try {
      await v.start();
      const headers = { authorization: `Bearer ${v.token}` };
      const fluent = forwardBy(forward);
      const senders: { readonly [mark: string]: Send } = {
        log: logsBy("@opentelemetry/exporter-logs-otlp-proto", `${v.url}/v1/logs`, headers),
        span: spansBy(grpc, v.token),
        chunk: fluent.send,
        hec: hecBy(v.url, v.token),
      };
      // the day picks when, so that runs over time cover more than any one does
      let left = new Chance(Math.floor(Date.now() / 86_400_000)).whole(4, (3 * total) / perBatch);
      let restarted: Promise<void> | undefined;
      let dying = false;
      const reached = () => {
        if (--left > 0 || restarted !== undefined) return;
        dying = true;
        restarted = v.killAndStart().finally(() => {
          dying = false;
        });
      };
      const again = await Promise.all(
        Object.entries(senders).map(async ([mark, send]) => [mark, await sendAll(send, reached, () => dying)] as const),
      );
      await restarted;
      await fluent.close();
      for (const { name, balance, dead } of await settledLedger(v)) expect([name, balance, dead]).toEqual([name, 0, 0]);
      for (const [mark, sentAgain] of again) {
        const { missing, twice } = await tally(v, "", total, numbered(mark));
        expect([mark, missing, twice.filter((n) => !sentAgain.has(n))]).toEqual([mark, [], []]);
      }
    } finally {
      await v.remove();
    }
  });
});
