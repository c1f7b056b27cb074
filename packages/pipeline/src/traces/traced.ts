/** The log, the pool and the store as they are, and a span of what each does to a traced batch. What is not wrapped costs nothing. */
import type { Clock } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Micros } from "@vedette/model";
import type { Store } from "@vedette/store";
import type { Pool } from "../pool.ts";
import type { Tracer } from "./tracer.ts";

/** Findings of traced batches that triage has not come to. */
const maxUnderWay = 1_024;

/** Everything as the original does it but what stands in `ours`. */
function over<T extends object>(original: T, ours: Partial<T>): T {
  return new Proxy(original, {
    get(target, name) {
      const own: unknown = Reflect.get(ours, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

interface Parts {
  readonly log: Log;
  readonly pool: Pool;
  readonly store: Store;
}

export function traced({ log, pool, store }: Parts, tracer: Tracer, clock: Clock): Parts {
  /** By their place among the findings. */
  const underWay = new Map<number, { readonly trace: string; readonly from: Micros }>();
  return {
    log: over(log, {
      async append(topic, partition, batch, options) {
        const from = clock.now();
        const offset = await log.append(topic, partition, batch, options);
        // ticks and canaries count as nothing that a source sent
        const counts = options?.counts;
        if (topic === "raw" && counts) {
          const trace = tracer.traceOf(offset);
          if (trace)
            tracer.add(trace, "ingest", from, clock.now(), { ...sourceOf(counts), "vedette.raw.offset": offset, bytes: batch.length });
        } else if (topic === "findings") {
          const raw = rawOf(batch);
          const trace = raw === undefined ? undefined : tracer.traceOf(raw);
          if (trace) {
            tracer.add(trace, "find", from, clock.now(), { "vedette.findings.offset": offset });
            if (underWay.size < maxUnderWay) underWay.set(offset, { trace, from: clock.now() });
          }
        }
        return offset;
      },
    }),
    pool: over(pool, {
      async run(job, program) {
        const from = clock.now();
        const analysis = await pool.run(job, program);
        for (const { offset } of job.entries) {
          const trace = tracer.traceOf(offset);
          if (trace) tracer.add(trace, "analyse", from, clock.now(), { batches: job.entries.length, findings: analysis.findings.length });
        }
        return analysis;
      },
    }),
    store: over(store, {
      alerts: over(store.alerts, {
        async fold(next, changed, findings) {
          await store.alerts.fold(next, changed, findings);
          for (const [offset, { trace, from }] of underWay) {
            if (offset >= next) continue;
            underWay.delete(offset);
            tracer.add(trace, "alert", from, clock.now(), { alerts: changed.length });
          }
        },
      }),
    }),
  };
}

function sourceOf(counts: { readonly [counter: string]: number }): { readonly [name: string]: string | number } {
  const [name, records] = Object.entries(counts).find(([one]) => one.startsWith("in/")) ?? [];
  return name === undefined ? {} : { "vedette.source": name.slice("in/".length), records: records! };
}

/** Without reading the whole of it: the batch begins with where it came from. */
function rawOf(batch: Uint8Array): number | undefined {
  const found = /^\{"raw":(\d{1,15})[,}]/.exec(Buffer.from(batch.buffer, batch.byteOffset, Math.min(batch.length, 40)).toString("latin1"));
  return found ? Number(found[1]) : undefined;
}
