/** Many seeds of a failing broker, one after the other. */
import { describe, expect, it } from "vitest";
import { Kafka, present } from "../../../../tests/e2e/clients.ts";
import { damageBroker, failBroker, ownBroker } from "../testing/failing_broker.ts";

describe.skipIf(!present.kafka)("a broker that fails often", () => {
  const broker = ownBroker((directory) => new Kafka(directory));

  it("keeps what it accepted over 30 kills and 10 pauses", async () => {
    for (let seed = 1; seed <= 10; seed++) await failBroker(broker(), `failing-${seed}`, seed, 3);
  });
  it("loses a few batches to each of 20 flipped bits, and says so", async () => {
    let damaged = 0;
    for (let seed = 1; seed <= 20; seed++) damaged += await damageBroker(broker(), `damaged-${seed}`, seed);
    expect(damaged).toBeGreaterThan(10);
  });
});
