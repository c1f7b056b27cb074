/**
 * What rules on trial did in all processes, for the one who leads: what they found is in the findings topic, and what they were asked about in the
 * ledger that all of them come to. Decides nothing.
 */
import type { Log } from "@vedette/log";
import type { Micros } from "@vedette/model";
import type { FindingsBatch } from "../triage_runner.ts";
import type { Counts } from "./lines.ts";
import { dayOf, type Trials } from "./trial.ts";

const readBytes = 4_194_304;

export class TrialFeed {
  readonly #log: Log;
  /** By rule, of how many events it was known to have been asked. */
  readonly #seen = new Map<string, number>();
  #next: number | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Next offset of the findings topic; undefined before it has read any. */
  get next(): number | undefined {
    return this.#next;
  }
  /** Goes on where another left off; without that, with what comes from now on. What events it is behind by is not made up for. */
  begin(next: number | undefined): void {
    this.#next = next;
    this.#seen.clear();
  }

  /** @param reached up to where the log has been gone through, by receive time */
  async take(trials: Trials, { rules }: Counts, reached: Micros): Promise<void> {
    const asked: [string, [number, number]][] = [];
    for (const [rule, [seen]] of rules) {
      asked.push([rule, [seen - (this.#seen.get(rule) ?? seen), 0]]);
      this.#seen.set(rule, seen);
    }
    if (reached > 0) trials.add({ rules: Object.fromEntries(asked), days: [dayOf(reached)], costs: {} }, []);
    const { start, end } = await this.#log.bounds("findings", 0);
    this.#next = Math.max(this.#next ?? end, start);
    while (this.#next < end) {
      const entries = await this.#log.read("findings", 0, this.#next, readBytes);
      if (entries.length === 0) return;
      for (const entry of entries) {
        this.#next = entry.offset + 1;
        if (!("bytes" in entry)) continue;
        const batch = JSON.parse(Buffer.from(entry.bytes).toString()) as FindingsBatch;
        if ("retract" in batch) continue;
        const real = batch.findings.filter(({ canary }) => canary === undefined);
        trials.add({ rules: {}, days: [], costs: {} }, real);
      }
    }
  }
}
