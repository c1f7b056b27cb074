/** Hands the audit trail to detection: its records are events of a source of their own, each exactly once. */
import type { AuditTrail } from "@vedette/audit";
import type { Clock } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Intakes } from "./intakes.ts";

export const auditSource = "vedette.audit";
const format = "vedette_audit";
/** Records handed over at once. */
const atOnce = 500;
/** Where the log does not take them now, they wait in the trail. */
const again_ms = 2_000;

interface FeedOptions {
  readonly trail: AuditTrail;
  readonly intakes: Intakes;
  readonly log: Log;
  readonly clock: Clock;
  /** Which of an installation's chains it is, where there are several. */
  readonly chain?: string;
}

/** Runs until the signal aborts. What is recorded while it does not run is handed over at the next start. */
export async function feedAudit({ trail, intakes, log, clock, chain }: FeedOptions, signal: AbortSignal): Promise<void> {
  const stream = chain === undefined ? "chain" : `chain/${chain}`;
  const intake = intakes.own({ source: auditSource, format });
  const known = (await log.positions()).get(`${auditSource}/${stream}`);
  let next = known === undefined ? 0 : Number(known) + 1;
  let wake = () => {};
  const stopListening = trail.onMore(() => wake());
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      if (next > trail.last.n) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (next <= trail.last.n || signal.aborted) resolve();
        });
        continue;
      }
      const records = await trail.since(next, atOnce);
      // a part that cannot be read any more is for `vedette verify` to name
      const last = records.at(-1)?.n ?? trail.last.n;
      try {
        await intake.accept(
          records.map(({ n, time, hash, fields }) => ({
            id: hash,
            position: String(n),
            body: Buffer.from(
              JSON.stringify({ ...(fields ?? { "event.action": "audit_erased" }), "@timestamp": new Date(time / 1_000).toISOString() }),
            ),
          })),
          { stream, position: String(last) },
        );
        next = last + 1;
      } catch {
        await clock.sleep(again_ms, signal);
      }
    }
  } finally {
    stopListening();
  }
}
