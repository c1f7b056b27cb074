/** One seed of a failing broker: another in every run; VEDETTE_SEED runs one again. */
import { describe, expect, it } from "vitest";
import { Kafka, present } from "../../../../tests/e2e/clients.ts";
import { damageBroker, failBroker, ownBroker } from "../testing/failing_broker.ts";

if (process.env["CI"] === "true" && !present.kafka) throw new Error("Kafka is not installed: scripts/services install");

const seed = Number(process.env["VEDETTE_SEED"] ?? Math.floor(Date.now() / 1000) % 100_000);
describe.skipIf(!present.kafka)(`a broker that fails (seed ${seed})`, () => {
  const broker = ownBroker((directory) => new Kafka(directory));

  it("keeps what it accepted, and takes more as soon as it is back", () => failBroker(broker(), "failing", seed, 1));
  it("loses a few batches to a flipped bit, and says so", async () => {
    // most bits are of a batch
    let damaged = 0;
    for (let more = 0; more < 3; more++) damaged += await damageBroker(broker(), `damaged-${more}`, seed + more);
    expect(damaged).toBeGreaterThan(0);
  });
});
