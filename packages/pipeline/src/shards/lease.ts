/** Work that one process of a cluster does at a time. Knows no work. */
import type { Lease, Leases } from "@vedette/cluster";
import type { Clock } from "@vedette/kit";
import type { Micros } from "@vedette/model";

export interface LeasedOptions {
  readonly leases: Leases;
  /** Of this process. */
  readonly holder: string;
  readonly clock: Clock;
  readonly onProblem: (code: string, message: string | undefined) => void;
}

/** Long enough for a pause of the collector or a slow disk, short enough that another goes on soon. */
const leaseFor_ms = 10_000;
const renewEvery_ms = 2_500;

/** All leases of a process are renewed on one beat: together they are one question, apart thirty a second. */
const beat_ms = (now: Micros): number => Math.ceil(renewEvery_ms - ((now / 1_000) % renewEvery_ms));

/** Does the work while the lease is held, again after it was lost; gives it back at the end. Rejects when the work does. */
export async function leased(
  name: string,
  options: LeasedOptions,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { clock } = options;
  while (!signal.aborted) {
    const lease = await taken(name, options);
    if (lease === undefined) {
      await clock.sleep(renewEvery_ms, signal);
      continue;
    }
    await whileHeld(lease, options, signal, work);
  }
}

/** @returns undefined while another has it, or nobody can say */
export async function taken(name: string, { leases, holder, onProblem }: LeasedOptions): Promise<Lease | undefined> {
  try {
    const lease = await leases.acquire(name, holder, leaseFor_ms);
    onProblem("cluster_unavailable", undefined);
    return lease;
  } catch (e) {
    onProblem("cluster_unavailable", (e as Error).message);
    return undefined;
  }
}

/** Renews while the work lasts, and ends the work when that does not succeed in time. */
export async function whileHeld(
  first: Lease,
  { leases, clock, onProblem }: LeasedOptions,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  let lease = first;
  const lost = new AbortController();
  const done = new AbortController();
  const stop = AbortSignal.any([signal, lost.signal]);
  const renewing = (async () => {
    while (!done.signal.aborted && !lost.signal.aborted) {
      await clock.sleep(beat_ms(clock.now()), done.signal);
      if (done.signal.aborted) return;
      try {
        const renewed = await leases.renew(lease, leaseFor_ms);
        if (renewed === undefined) lost.abort();
        else lease = renewed;
      } catch (e) {
        onProblem("cluster_unavailable", (e as Error).message);
        // nobody may be sure whose it is from its end on
        if (clock.now() >= lease.until) lost.abort();
      }
    }
  })();
  try {
    await work(stop);
  } finally {
    done.abort();
    await renewing;
    await leases.release(lease).catch(() => {});
  }
}
