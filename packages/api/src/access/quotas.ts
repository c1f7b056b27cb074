/** Holds senders to their tokens' quotas. Knows no protocol. */
import { type Quota, withinQuota } from "@vedette/cluster";
import type { Counters, Intake } from "@vedette/kit";

export class Quotas {
  readonly #counters: Counters;
  readonly #quotaOf: (token: string) => Quota | undefined;

  /** @param quotaOf of a token, by its id */
  constructor(counters: Counters, quotaOf: (token: string) => Quota | undefined) {
    this.#counters = counters;
    this.#quotaOf = quotaOf;
  }

  /** For one request. */
  within(token: string): (intake: Intake) => Intake {
    return withinQuota(this.#counters, `token ${token}`, "the token's", this.#quotaOf(token));
  }
}
