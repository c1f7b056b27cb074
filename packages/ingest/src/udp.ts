/** Listens for datagrams: they wait in a bounded queue, and those it has no room for are counted as lost. Knows nothing of what is in them. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { type SourceContext, UnavailableError } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import type { Address } from "./address.ts";
import { Batch, batchesOf } from "./batch.ts";
import { deliver, type Lost } from "./deliver.ts";
import { settle_ms } from "./lines.ts";
import { aborted } from "./tcp.ts";

export interface Datagram {
  readonly bytes: Buffer;
  readonly peer: string;
}

/** What datagrams are read by. All are asked in the order in which the datagrams came. */
export interface DatagramReader {
  records(datagram: Datagram): Iterable<RawRecord>;
  /** Whether some that came wait for others that may belong to them. */
  readonly holding?: boolean;
  /** Those that have waited long enough: asked when nothing came for a while. */
  settle?(): Iterable<RawRecord>;
  /** What is known to be lost since this was asked last. */
  lost?(): Lost;
  /** What a later run goes on with, by stream, where it changed since this was asked last. */
  positions?(): Iterable<readonly [stream: string, position: string]>;
  /** What is left when the listener ends. */
  end?(): Iterable<RawRecord>;
}

export interface UdpOptions {
  /** What the listener is called in messages: `syslog UDP`. */
  readonly name: string;
  readonly address: Address;
  /** Datagrams waiting beyond this many bytes are dropped: UDP has no way to say "wait". */
  readonly queueBytes: number;
  readonly reader: DatagramReader;
  readonly listening?: (address: Address) => void;
}
type Context = Omit<SourceContext<unknown>, "config" | "positions">;

/** Datagrams are gathered this long before they are handed on: half of what making them durable takes. */
const gather_ms = 5;
/** Asked of the kernel (it may give less): about 10,000 messages of a burst. */
const kernelBufferBytes = 4 * 1024 * 1024;
/** Drops are reported at most this often. */
const report_us = 60_000_000;

/** Resolves when `signal` has aborted and the queue is handed on. */
export async function listenUdp(options: UdpOptions, context: Context): Promise<void> {
  const { clock, signal } = context;
  const queue = new DatagramQueue(options.queueBytes);
  const socket = createSocket({ type: isIPv6(options.address.host) ? "udp6" : "udp4" });
  let wake: () => void = () => {};
  socket.on("message", (bytes, { address: peer }) => {
    queue.push({ bytes, peer });
    wake();
  });
  await bound(socket, options, context.warn);
  void aborted(signal).then(() => {
    socket.close();
    wake();
  });
  const delivery = new Delivery(options.reader, queue, context);
  while (!signal.aborted || queue.length > 0) {
    if (queue.length === 0) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (options.reader.holding && !(await inTime(woken, clock))) {
        if (!(await delivery.hand(options.reader.settle?.() ?? []))) return;
        continue;
      }
      await woken;
      if (!signal.aborted) await clock.sleep(gather_ms, signal);
    }
    const datagrams = queue.take();
    if (!(await delivery.hand(datagrams.values().flatMap((datagram) => options.reader.records(datagram))))) return;
  }
  await delivery.hand(options.reader.end?.() ?? []);
}

/** Whether it came about before what is held has waited long enough. */
async function inTime(woken: Promise<void>, clock: Context["clock"]): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([woken.then(() => true), clock.sleep(settle_ms, over.signal).then(() => false)]);
  } finally {
    over.abort();
  }
}

function bound(socket: Socket, options: UdpOptions, warn: Context["warn"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) =>
      reject(new UnavailableError("source_unavailable", `${options.name}: ${error.message}`, { cause: error }));
    socket.once("error", failed);
    socket.bind(options.address.port, options.address.host, () => {
      socket.off("error", failed);
      socket.on("error", (error) => warn("listener_failed", error.message));
      socket.setRecvBufferSize(kernelBufferBytes);
      const { address: host, port } = socket.address();
      options.listening?.({ host, port });
      resolve();
    });
  });
}

/** Hands on what was read, with what was lost meanwhile. */
class Delivery {
  readonly #reader: DatagramReader;
  readonly #queue: DatagramQueue;
  readonly #context: Context;
  #counted = 0;
  #reported = { at: Number.NEGATIVE_INFINITY, dropped: 0 };

  constructor(reader: DatagramReader, queue: DatagramQueue, context: Context) {
    this.#reader = reader;
    this.#queue = queue;
    this.#context = context;
  }

  /** False where it ended before they were durable. */
  async hand(records: Iterable<RawRecord>): Promise<boolean> {
    for (const batch of batchesOf(records)) if (!(await deliver(batch, { stream: "udp", lost: this.#lost() }, this.#context))) return false;
    const lost = this.#lost();
    if (lost !== undefined && !(await deliver(new Batch(), { stream: "udp", lost }, this.#context))) return false;
    for (const [stream, position] of this.#reader.positions?.() ?? [])
      if (!(await deliver(new Batch(), { stream, position }, this.#context))) return false;
    return true;
  }

  #lost(): Lost | undefined {
    const { dropped } = this.#queue;
    const full = dropped - this.#counted;
    this.#counted = dropped;
    this.#report(dropped);
    const lost = { ...this.#reader.lost?.(), ...(full > 0 ? { queue_full: full } : {}) };
    return Object.keys(lost).length > 0 ? lost : undefined;
  }

  #report(dropped: number): void {
    const { clock, warn } = this.#context;
    const since = dropped - this.#reported.dropped;
    if (since === 0 || clock.now() - this.#reported.at < report_us) return;
    warn("datagrams_dropped", `${since} datagrams dropped (${dropped} in all): they came faster than they could be made durable`);
    this.#reported = { at: clock.now(), dropped };
  }
}

/** What came and is not yet handed on. */
export class DatagramQueue {
  dropped = 0;
  readonly #maxBytes: number;
  #waiting: Datagram[] = [];
  #bytes = 0;
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }
  get length(): number {
    return this.#waiting.length;
  }
  push(datagram: Datagram): void {
    const bytes = datagram.bytes.length + overhead;
    if (this.#bytes + bytes > this.#maxBytes) {
      this.dropped++;
      return;
    }
    this.#waiting.push(datagram);
    this.#bytes += bytes;
  }
  /** About as many as make one batch. */
  take(): readonly Datagram[] {
    let bytes = 0;
    let taken = 0;
    while (taken < this.#waiting.length && taken < maxTaken && bytes < maxTakenBytes) bytes += this.#waiting[taken++]!.bytes.length;
    this.#bytes -= bytes + taken * overhead;
    const datagrams = this.#waiting.slice(0, taken);
    this.#waiting = this.#waiting.slice(taken);
    return datagrams;
  }
}
/** What a waiting datagram costs beside its bytes, roughly. */
const overhead = 200;
const maxTaken = 4_000;
const maxTakenBytes = 1_000_000;
