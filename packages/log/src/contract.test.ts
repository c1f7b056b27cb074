/** What every log does: memory and segment files; Kafka's part is in kafka/contract.integration.test.ts. */
import { memoryLog, newLogKey, openLog, openLogHere } from "./index.ts";
import { type LogDriver, logContract } from "./testing/contract.ts";

const encryption = { keys: [newLogKey()], seal: true };

const drivers: readonly LogDriver[] = [
  { name: "memory", durable: false, open: async () => memoryLog() },
  { name: "segments here", durable: true, open: (directory) => openLogHere({ directory, segmentBytes: 4096 }) },
  { name: "segments in a thread", durable: true, open: (directory) => openLog({ directory, segmentBytes: 4096 }) },
  { name: "sealed segments", durable: true, open: (directory) => openLogHere({ directory, segmentBytes: 4096, encryption }) },
  { name: "sealed segments in a thread", durable: true, open: (directory) => openLog({ directory, segmentBytes: 4096, encryption }) },
];

for (const driver of drivers) logContract(driver);
