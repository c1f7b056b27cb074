/** Entry point of the thread in which a log on Kafka is taken into segment files: it unpacks and packs what may be gigabytes. */
import { parentPort, workerData } from "node:worker_threads";
import { toWireError } from "../wire.ts";
import { type KafkaMirror, mirrorHere } from "./mirror.ts";

const answer = await mirrorHere(workerData as KafkaMirror).then(
  (value) => ({ value }),
  (cause: unknown) => ({ error: toWireError(cause) }),
);
parentPort?.postMessage(answer);
