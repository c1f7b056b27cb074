import { inProcessCluster } from "@vedette/cluster";
import { describe } from "vitest";
import { sharedContract } from "../testing/shared.ts";

describe("two servers, told in process", () => {
  /** Stands still: what is drawn does not come back. */
  let cluster = inProcessCluster({ now: () => 1_795_000_000_000_000, sleep: async () => {} });
  let ends = 0;
  sharedContract(async () => {
    // both of a pair have the same one
    if (ends++ % 2 === 0) cluster = inProcessCluster({ now: () => 1_795_000_000_000_000, sleep: async () => {} });
    return cluster;
  });
});
