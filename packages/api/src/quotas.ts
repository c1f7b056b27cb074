/** Holds senders to their tokens' quotas: what is over is refused as back-pressure, in each protocol's own words. Knows no protocol. */
import type { Counters, Draw, Rate } from "@vedette/cluster";
import { type Intake, UnavailableError } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import type { Quota } from "./source_tokens.ts";

/** Batches are collected for seconds before they are sent: so many seconds' worth may come at once. */
const burst_s = 10;

interface Limit {
  readonly what: string;
  readonly perSecond: number;
  readonly rate: Rate;
  readonly cost: (records: readonly RawRecord[]) => number;
}
const bytesOf = (records: readonly RawRecord[]): number => records.reduce((sum, { body }) => sum + body.length, 0);

export class Quotas {
  readonly #counters: Counters;
  readonly #quotaOf: (token: string) => Quota | undefined;

  /** @param quotaOf of a token, by its id */
  constructor(counters: Counters, quotaOf: (token: string) => Quota | undefined) {
    this.#counters = counters;
    this.#quotaOf = quotaOf;
  }

  /** For one request: what a request began is not cut off in its middle, or what was taken would come twice. */
  within(token: string): (intake: Intake) => Intake {
    const limits = limitsOf(this.#quotaOf(token));
    if (limits.length === 0) return (intake) => intake;
    let admitted = false;
    return (intake) => ({
      accept: async (records, options) => {
        const draws = limits.map(({ what, rate, cost }): Draw => ({ key: `token ${token} ${what}`, rate, cost: cost(records) }));
        if (admitted) await this.#counters.charge(draws);
        else {
          const drawn = await this.#counters.take(draws);
          const over = limits[drawn.findIndex(({ wait }) => wait > 0)];
          if (over !== undefined)
            throw new UnavailableError(
              "backpressure",
              `the token's quota of ${over.perSecond} ${over.what} a second is used up; try again`,
            );
        }
        admitted = true;
        return await intake.accept(records, options);
      },
    });
  }
}

function limitsOf(quota: Quota | undefined): readonly Limit[] {
  const limit = (what: string, perSecond: number | undefined, cost: Limit["cost"]): Limit[] =>
    perSecond === undefined ? [] : [{ what, perSecond, rate: { perMinute: perSecond * 60, burst: perSecond * burst_s }, cost }];
  return [...limit("events", quota?.eventsPerSecond, (records) => records.length), ...limit("bytes", quota?.bytesPerSecond, bytesOf)];
}
