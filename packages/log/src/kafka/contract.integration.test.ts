/** The contract of the log on a real Kafka. */
import { basename } from "node:path";
import { kafkaAdmin } from "@vedette/kafka";
import { describe, it } from "vitest";
import { service } from "../../../../tests/e2e/services.ts";
import { openLog } from "../index.ts";
import { contractPartitions, logContract } from "../testing/contract.ts";

const kafka = service("kafka");

if (kafka === undefined) describe.skip("log: kafka", () => it("needs a broker"));
else {
  const connection = { brokers: [`${kafka.host}:${kafka.port}`], tls: undefined, sasl: undefined };
  const gone = async (directory: string) => {
    const admin = await kafkaAdmin(connection, { retries: 3 });
    const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(`${basename(directory)}.`));
    if (mine.length > 0) await admin.deleteTopics({ topics: mine });
    await admin.close();
  };
  logContract({
    name: "kafka in a thread",
    durable: true,
    gone,
    open: (directory) => openLog({ kafka: connection, prefix: basename(directory), partitions: contractPartitions }),
  });
}
