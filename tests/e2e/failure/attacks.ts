/** Numbered log-in attempts for one seed: bursts of failures of some addresses, here and there one that works. A sender for each host, that gives up nothing. */
import { setTimeout as pause } from "node:timers/promises";
import type { Chance } from "@vedette/kit";
import type { Vedette } from "../vedette.ts";

export interface Batch {
  readonly host: number;
  /** The sender's own name of it: sent again, it is the same batch. */
  readonly key: string;
  readonly lines: readonly string[];
}

const hosts = 4;
const batchesEach = 6;
const linesEach = 10;
const attackers = 3;
/** An answer that takes longer is asked for again: who sends to a process that stands still does not wait for ever. */
const patience_ms = 8_000;

let newest = 0;
/** Later than every one before: which of two attempts came first must not hang on who asks. */
function nextTime(): string {
  newest = Math.max(newest + 1, Date.now());
  return new Date(newest).toISOString();
}

/** The attempts of a seed, a sequence of batches for each host; each batch is written when it is about to be sent first. */
export function attempts(seed: number, chance: Chance): readonly (readonly (() => Batch)[])[] {
  return Array.from({ length: hosts }, (_, host) =>
    Array.from({ length: batchesEach }, (_, at) => {
      const made = Array.from({ length: linesEach }, (_, n) => ({
        number: ((seed * hosts + host) * batchesEach + at) * linesEach + n,
        attacker: chance.whole(1, attackers),
        ok: at === batchesEach - 1 && chance.happens(0.1),
      }));
      let batch: Batch | undefined;
      return () => {
        batch ??= {
          host,
          key: `${seed}-${host}-${at}`,
          lines: made.map(({ number, attacker, ok }) => {
            const address = `10.${40 + (seed >> 8)}.${seed & 255}.${attacker}`;
            return `${nextTime()} node${host} sshd[${number}]: ${ok ? "Accepted" : "Failed"} password for root from ${address} port 4022 ssh2`;
          }),
        };
        return batch;
      };
    }),
  );
}

export const sourceOf = ({ host }: Batch): string => `auth${host}`;
/** What `attempts` numbered it, or −1. */
export const numberOf = (text: string): number => Number(/ sshd\[(\d+)\]:/.exec(text)?.[1] ?? -1);

/** Once, whatever becomes of it. @returns whether it was acknowledged */
export async function post(to: Vedette, batch: Batch): Promise<boolean> {
  try {
    const response = await to.fetch(`/ingest/${sourceOf(batch)}`, {
      method: "POST",
      body: batch.lines.map((line) => `${line}\n`).join(""),
      headers: { "content-type": "text/plain", "idempotency-key": batch.key },
      signal: AbortSignal.timeout(patience_ms),
    });
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}

/** Nothing comes before it any more: each host goes as far ahead of its clock as counts (watermarks.ts). It may be refused, and is sent again. */
export async function close(to: Vedette): Promise<void> {
  const at = new Date(Date.now() + 29_000).toISOString();
  await Promise.all(
    Array.from({ length: hosts }, (_, host) =>
      post(to, { host, key: `close-${at}-${host}`, lines: [`${at} node${host} CRON[7]: (root) CMD (true)`] }),
    ),
  );
}

/** Each host's batches one after the other, each again until it is acknowledged. @param sent is told of each */
export async function sendAll(to: Vedette, all: readonly (readonly (() => Batch)[])[], sent: (batch: Batch) => void): Promise<void> {
  await Promise.all(
    all.map(async (own) => {
      for (const make of own) {
        const batch = make();
        while (!(await post(to, batch))) await pause(200);
        sent(batch);
      }
    }),
  );
}
