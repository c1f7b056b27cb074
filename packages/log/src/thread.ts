/** Entry point of the log's own thread: opens the log and serves it to the thread that started it. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { collectWhenQuiet, release, systemClock } from "@vedette/kit";
import { KafkaLog, type KafkaLogOptions } from "./kafka/log.ts";
import type { Topic } from "./log.ts";
import type { LogEncryption } from "./seal.ts";
import { SegmentLog, type SegmentLogOptions } from "./segments.ts";
import { type CallMessage, type Outcome, packEntries, type Reply, type Request, toWireError } from "./wire.ts";

/** Gathers what became known in one turn of the loop into one message. */
class Replies {
  readonly #port: MessagePort;
  #outcomes: Outcome[] = [];
  #transfer: ArrayBuffer[] = [];
  constructor(port: MessagePort) {
    this.#port = port;
  }
  add(outcome: Outcome, transfer?: ArrayBuffer): void {
    if (this.#outcomes.length === 0) setImmediate(() => this.#send());
    this.#outcomes.push(outcome);
    if (transfer !== undefined) this.#transfer.push(transfer);
  }
  #send(): void {
    const reply: Reply = { outcomes: this.#outcomes };
    this.#port.postMessage(reply, this.#transfer);
    this.#outcomes = [];
    this.#transfer = [];
  }
}

function serve(log: SegmentLog | KafkaLog, port: MessagePort): void {
  const replies = new Replies(port);
  const waiting = new Map<number, AbortController>();
  const fail = (id: number) => (cause: unknown) => replies.add({ id, value: undefined, error: toWireError(cause) });

  async function call({ id, method, arguments: given }: CallMessage): Promise<void> {
    const [topic, partition, third, fourth] = given as [Topic, number, number, number];
    const done = (value: unknown) => replies.add({ id, value, error: undefined });
    switch (method) {
      case "read": {
        const found = await log.read(topic, partition, third, fourth);
        const packed = packEntries(found);
        for (const entry of found) if ("bytes" in entry) release(entry.bytes);
        replies.add({ id, value: packed, error: undefined }, packed.buffer);
        return;
      }
      case "wait": {
        const controller = new AbortController();
        waiting.set(id, controller);
        await log.wait(topic, partition, third, controller.signal).finally(() => waiting.delete(id));
        return done(undefined);
      }
      case "retain":
        return done(await log.retain(topic, partition, third, fourth));
      case "bounds":
        return done(await log.bounds(topic, partition));
      case "encrypt":
        return done(await log.encrypt(given[0] as LogEncryption));
      default:
        return done(await log[method]());
    }
  }

  port.on("message", (request: Request) => {
    if (request.kind === "abort") return waiting.get(request.id)?.abort();
    if (request.kind === "call") return void call(request).catch(fail(request.id));
    let at = 0;
    for (const [index, { topic, partition, length, options }] of request.items.entries()) {
      const id = request.first + index;
      const batch = new Uint8Array(request.buffer, at, length);
      at += length;
      log.appendOwned(topic, partition, batch, options).then((value) => replies.add({ id, value, error: undefined }), fail(id));
    }
  });
}

if (parentPort !== null) {
  const port = parentPort;
  collectWhenQuiet();
  try {
    const options = workerData as SegmentLogOptions | KafkaLogOptions;
    serve("kafka" in options ? await KafkaLog.open(options, systemClock) : await SegmentLog.open(options, {}), port);
    port.postMessage({ outcomes: [{ id: 0, value: undefined, error: undefined }] } satisfies Reply);
  } catch (cause) {
    port.postMessage({ outcomes: [{ id: 0, value: undefined, error: toWireError(cause) }] } satisfies Reply);
    port.close();
  }
}
