/** Starts a log, segment files or Kafka, in a thread of its own and speaks to it. Knows nothing of files or brokers. */
import { Worker } from "node:worker_threads";
import { BadInputError, UnavailableError, type VedetteError } from "@vedette/kit";
import type { KafkaLogOptions } from "./kafka/log.ts";
import type { KafkaMirror } from "./kafka/mirror.ts";
import type { AppendOptions, Damaged, Entry, Log, SealedLog, Topic } from "./log.ts";
import type { Mirrored } from "./mirror.ts";
import type { LogEncryption, SealedBelow } from "./seal.ts";
import { closedError, encodeOptions, type SegmentLogOptions, segmentLogDefaults } from "./segments.ts";
import {
  type AppendMessage,
  type CallMethod,
  fromWireError,
  type PackedEntries,
  type Reply,
  type Request,
  unpackEntries,
  type WireError,
} from "./wire.ts";

/** The thread's heap holds queues and indexes only (batches lie outside it): generous, yet it cannot eat the machine. */
const HEAP_MB = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 6 };
/** What a waiting append costs beside its bytes. */
const PENDING_BYTES = 512;

/** Told when the log's thread ended by itself: nothing is accepted or read any more, whatever one tries. */
export type Gone = (why: Error) => void;

/** The keys as they are now, asked for when one is missing. */
export type RereadKeys = () => Promise<LogEncryption>;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (cause: unknown) => void;
}
interface Packed {
  readonly item: AppendMessage["items"][number];
  readonly batch: Uint8Array;
}

class ThreadLog implements SealedLog {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #gone: Gone | undefined;
  readonly #reread: RereadKeys | undefined;
  #rereading: Promise<void> | undefined;
  readonly #queueBytes: number;
  readonly #batchBytes: number;
  #next = 1;
  #unacknowledged = 0;
  #batched: Packed[] = [];
  #closed: Promise<void> | undefined;
  #dead: Error | undefined;

  constructor(
    worker: Worker,
    { queueBytes, batchBytes }: Pick<SegmentLogOptions, "queueBytes" | "batchBytes">,
    { gone, reread }: { readonly gone: Gone | undefined; readonly reread: RereadKeys | undefined },
  ) {
    this.#worker = worker;
    this.#gone = gone;
    this.#reread = reread;
    this.#queueBytes = queueBytes ?? segmentLogDefaults.queueBytes;
    this.#batchBytes = batchBytes ?? segmentLogDefaults.batchBytes;
    worker.on("message", ({ outcomes }: Reply) => {
      for (const { id, value, error } of outcomes) {
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (error === undefined) waiting?.resolve(value as never);
        else waiting?.reject(fromWireError(error));
      }
    });
    worker.on("error", (cause) => this.#die(cause));
    worker.on("exit", (status) => this.#die(new Error(`The log's thread ended with status ${status}.`)));
  }

  /** Whoever waits learns it; what waited to be acknowledged may or may not have become durable, as after a crash. */
  #die(cause: unknown): void {
    const first = this.#dead === undefined && this.#closed === undefined;
    this.#dead ??= new UnavailableError("log_closed", `The log's thread is gone: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
    for (const { reject } of this.#waiting.values()) reject(this.#dead);
    this.#waiting.clear();
    if (first) this.#gone?.(this.#dead);
  }

  #expect<T>(id: number): Promise<T> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Resolves when the thread has opened the log. */
  opened(): Promise<void> {
    return this.#expect(0);
  }

  #call<T>(method: CallMethod, given: readonly unknown[], signal?: AbortSignal): Promise<T> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    if (this.#closed !== undefined && method !== "close") return Promise.reject(closedError());
    this.#flush();
    const id = this.#next++;
    this.#post({ kind: "call", id, method, arguments: given });
    const answer = this.#expect<T>(id);
    if (signal === undefined) return answer;
    const abort = () => this.#post({ kind: "abort", id });
    signal.addEventListener("abort", abort, { once: true });
    return answer.finally(() => signal.removeEventListener("abort", abort));
  }

  #post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  async append(topic: Topic, partition: number, batch: Uint8Array, options?: AppendOptions): Promise<number> {
    if (this.#dead !== undefined) throw this.#dead;
    if (this.#closed !== undefined) throw closedError();
    if (batch.length > this.#batchBytes) {
      throw new BadInputError("too_large", `A batch of ${batch.length} bytes is over the log's cap of ${this.#batchBytes}.`);
    }
    encodeOptions(options);
    const cost = batch.length + PENDING_BYTES;
    if (this.#unacknowledged > 0 && this.#unacknowledged + cost > this.#queueBytes) {
      throw new UnavailableError("backpressure", `${this.#unacknowledged} bytes wait to be made durable.`);
    }
    this.#unacknowledged += cost;
    if (this.#batched.length === 0) queueMicrotask(() => this.#flush());
    this.#batched.push({ item: { topic, partition, length: batch.length, options }, batch: new Uint8Array(batch) });
    // Ids of the batched ones follow each other: calls flush first.
    const id = this.#next++;
    try {
      return await this.#expect<number>(id);
    } finally {
      this.#unacknowledged -= cost;
    }
  }

  /** Appends of one turn travel together. */
  #flush(): void {
    const batched = this.#batched;
    if (batched.length === 0) return;
    this.#batched = [];
    const first = this.#next - batched.length;
    const items = batched.map(({ item }) => item);
    const buffer = pack(batched);
    this.#post({ kind: "append", first, items, buffer }, [buffer]);
  }

  async read(topic: Topic, partition: number, from: number, maxBytes: number): Promise<readonly (Entry | Damaged)[]> {
    const read = async () => unpackEntries(await this.#call<PackedEntries>("read", [topic, partition, from, maxBytes]));
    try {
      return await read();
    } catch (error) {
      if (this.#reread === undefined || (error as VedetteError).code !== "sealed_key_missing") throw error;
      // another process has sealed by a key that came while this one ran
      await this.#rereadKeys(this.#reread);
      return await read();
    }
  }
  async wait(topic: Topic, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await this.#call("wait", [topic, partition, offset], signal);
  }
  bounds(topic: Topic, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    return this.#call("bounds", [topic, partition]);
  }
  positions(): Promise<ReadonlyMap<string, string>> {
    return this.#call("positions", []);
  }
  counts(): Promise<ReadonlyMap<string, number>> {
    return this.#call("counts", []);
  }
  retain(topic: Topic, partition: number, before: number, keepBytes: number): Promise<void> {
    return this.#call("retain", [topic, partition, before, keepBytes]);
  }
  damage(): ReturnType<Log["damage"]> {
    return this.#call("damage", []);
  }

  encrypt(encryption: LogEncryption): Promise<SealedBelow | undefined> {
    return this.#call("encrypt", [encryption]);
  }
  /** One at a time for all who miss a key. */
  #rereadKeys(reread: RereadKeys): Promise<void> {
    this.#rereading ??= reread()
      .then(async (encryption) => void (await this.encrypt(encryption)))
      .finally(() => {
        this.#rereading = undefined;
      });
    return this.#rereading;
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      if (this.#dead === undefined) await this.#call("close", []).catch(() => undefined);
      await this.#worker.terminate();
    })();
    return this.#closed;
  }
}

/** One copy into one buffer, which is then given away: the caller keeps its own. */
function pack(batched: readonly Packed[]): ArrayBuffer {
  const [only] = batched;
  if (batched.length === 1 && only !== undefined && only.batch.buffer instanceof ArrayBuffer) return only.batch.buffer;
  const bytes = new Uint8Array(batched.reduce((sum, { batch }) => sum + batch.length, 0));
  let at = 0;
  for (const { batch } of batched) {
    bytes.set(batch, at);
    at += batch.length;
  }
  return bytes.buffer;
}

/**
 * Opens (and where needed repairs) the log under `directory`, or the one on Kafka, in a thread of its own.
 * @throws an error with the system's message if the directory cannot be used at all; `kafka_refused` or `kafka_unavailable`.
 */
export async function openLog(options: SegmentLogOptions | KafkaLogOptions, gone?: Gone, reread?: RereadKeys): Promise<SealedLog> {
  const file = import.meta.url.endsWith(".ts") ? "./thread.ts" : "./thread.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: options, resourceLimits: HEAP_MB, name: "log" });
  const log = new ThreadLog(worker, "kafka" in options ? {} : options, { gone, reread });
  try {
    await log.opened();
  } catch (cause) {
    await worker.terminate();
    throw cause;
  }
  return log;
}

/** See `mirrorHere`; in a thread of its own, which ends. */
export async function mirrorKafkaLog(ask: KafkaMirror): Promise<readonly Mirrored[]> {
  const file = import.meta.url.endsWith(".ts") ? "./kafka/mirror_thread.ts" : "./kafka/mirror_thread.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: ask, resourceLimits: HEAP_MB, name: "log mirror" });
  try {
    const { value, error } = await new Promise<{ readonly value?: readonly Mirrored[]; readonly error?: WireError }>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (status) => reject(new UnavailableError("log_closed", `the thread that copies the log ended with ${status}`)));
    });
    if (value === undefined) throw fromWireError(error!);
    return value;
  } finally {
    await worker.terminate();
  }
}
