/** Holds an intake to what its sender may deliver: what is over is refused as back-pressure, in each protocol's own words. Knows no protocol. */
import { type Counters, type Draw, type Intake, type Rate, UnavailableError } from "@vedette/kit";

/** What a sender may deliver, on average; ten seconds' worth at once. */
export interface Quota {
  readonly eventsPerSecond?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
}

type Records = Parameters<Intake["accept"]>[0];
interface Limit {
  readonly what: string;
  readonly perSecond: number;
  readonly rate: Rate;
  readonly cost: (records: Records) => number;
}

/** Batches are collected for seconds before they are sent: so many seconds' worth may come at once. */
const burst_s = 10;

function limitsOf(quota: Quota | undefined): readonly Limit[] {
  const limit = (what: string, perSecond: number | undefined, cost: Limit["cost"]): Limit[] =>
    perSecond === undefined ? [] : [{ what, perSecond, rate: { perMinute: perSecond * 60, burst: perSecond * burst_s }, cost }];
  return [
    ...limit("events", quota?.eventsPerSecond, (records) => records.length),
    ...limit("bytes", quota?.bytesPerSecond, (records) => records.reduce((sum, { body }) => sum + body.length, 0)),
  ];
}

/**
 * For one request, or one connection's batch: what was begun is not cut off in its middle, or what was taken would come twice.
 * @param whose names the quota to its sender, such as `the token's`; @param key tells it from others in the counters
 */
export function withinQuota(counters: Counters, key: string, whose: string, quota: Quota | undefined): (intake: Intake) => Intake {
  const limits = limitsOf(quota);
  if (limits.length === 0) return (intake) => intake;
  let admitted = false;
  return (intake) => ({
    accept: async (records, options) => {
      const draws = limits.map(({ what, rate, cost }): Draw => ({ key: `${key} ${what}`, rate, cost: cost(records) }));
      if (admitted) await counters.charge(draws);
      else {
        const drawn = await counters.take(draws);
        const over = limits[drawn.findIndex(({ wait }) => wait > 0)];
        if (over !== undefined)
          throw new UnavailableError("backpressure", `${whose} quota of ${over.perSecond} ${over.what} a second is used up; try again`);
      }
      admitted = true;
      return await intake.accept(records, options);
    },
  });
}

/** For a source that has no requests: each batch is admitted or refused by itself. */
export function everyBatchWithinQuota(
  counters: Counters,
  key: string,
  whose: string,
  quota: Quota | undefined,
): (intake: Intake) => Intake {
  if (limitsOf(quota).length === 0) return (intake) => intake;
  return (intake) => ({ accept: (records, options) => withinQuota(counters, key, whose, quota)(intake).accept(records, options) });
}
