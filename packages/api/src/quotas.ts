/** Holds senders to their tokens' quotas: what is over is refused as back-pressure, in each protocol's own words. Knows no protocol. */
import { type Clock, type Intake, RateLimit, UnavailableError } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import type { Quota } from "./source_tokens.ts";

/** Batches are collected for seconds before they are sent: so many seconds' worth may come at once. */
const burst_s = 10;

interface Limit {
  readonly what: string;
  readonly perSecond: number;
  readonly rate: RateLimit;
  readonly cost: (records: readonly RawRecord[]) => number;
}
const bytesOf = (records: readonly RawRecord[]): number => records.reduce((sum, { body }) => sum + body.length, 0);

export class Quotas {
  readonly #clock: Clock;
  readonly #quotaOf: (token: string) => Quota | undefined;
  readonly #limits = new Map<string, readonly Limit[]>();

  /** @param quotaOf of a token, by its id */
  constructor(clock: Clock, quotaOf: (token: string) => Quota | undefined) {
    this.#clock = clock;
    this.#quotaOf = quotaOf;
  }

  /** For one request: what a request began is not cut off in its middle, or what was taken would come twice. */
  within(token: string): (intake: Intake) => Intake {
    const limits = this.#of(token);
    let admitted = false;
    return (intake) => ({
      accept: async (records, options) => {
        const now = this.#clock.now();
        for (const { what, perSecond, rate, cost } of admitted ? [] : limits) {
          if (rate.wait("", now, cost(records)) > 0)
            throw new UnavailableError("backpressure", `the token's quota of ${perSecond} ${what} a second is used up; try again`);
        }
        admitted = true;
        for (const { rate, cost } of limits) rate.charge("", now, cost(records));
        return await intake.accept(records, options);
      },
    });
  }

  #of(id: string): readonly Limit[] {
    let limits = this.#limits.get(id);
    if (limits === undefined) {
      const quota = this.#quotaOf(id);
      const limit = (what: string, perSecond: number | undefined, cost: Limit["cost"]): Limit[] =>
        perSecond === undefined ? [] : [{ what, perSecond, rate: new RateLimit(perSecond * 60, perSecond * burst_s), cost }];
      limits = [...limit("events", quota?.eventsPerSecond, (records) => records.length), ...limit("bytes", quota?.bytesPerSecond, bytesOf)];
      this.#limits.set(id, limits);
    }
    return limits;
  }
}
