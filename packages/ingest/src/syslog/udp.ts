/** Listens for syslog over UDP: datagrams wait in a bounded queue, and those it has no room for are counted. Knows nothing of what messages say. */
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { type SourceContext, UnavailableError } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import type { Address } from "../address.ts";
import { Batch, rawRecord } from "../batch.ts";
import { deliver } from "../deliver.ts";
import { nonce } from "../nonce.ts";
import { aborted } from "../tcp.ts";
import { withoutTrailer } from "./framing.ts";

export interface UdpOptions {
  readonly address: Address;
  /** Datagrams waiting beyond this many bytes are dropped: UDP has no way to say "wait". */
  readonly queueBytes: number;
  readonly listening?: (address: Address) => void;
}
/** Datagrams are gathered this long before they are handed on: half of what making them durable takes. */
const gather_ms = 5;
/** Asked of the kernel (it may give less): about 10,000 messages of a burst. */
const kernelBufferBytes = 4 * 1024 * 1024;
/** Drops are reported at most this often. */
const report_us = 60_000_000;

/** Resolves when `signal` has aborted and the queue is handed on. */
export async function listenUdp(options: UdpOptions, context: Omit<SourceContext<unknown>, "config" | "positions">): Promise<void> {
  const { clock, intake, signal, warn } = context;
  const token = `${nonce(clock)}:udp`;
  const queue = new DatagramQueue(options.queueBytes);
  const socket = createSocket({ type: isIPv6(options.address.host) ? "udp6" : "udp4" });
  let wake: () => void = () => {};
  let count = 0;
  socket.on("message", (message, { address }) => {
    const end = withoutTrailer(message, 0, message.length);
    if (end === 0) return;
    queue.push(rawRecord(`${token}:${count++}`, message.subarray(0, end), undefined, undefined, address));
    wake();
  });
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => reject(new UnavailableError("source_unavailable", `syslog UDP: ${error.message}`, { cause: error }));
    socket.once("error", failed);
    socket.bind(options.address.port, options.address.host, () => {
      socket.off("error", failed);
      socket.on("error", (error) => warn("listener_failed", error.message));
      socket.setRecvBufferSize(kernelBufferBytes);
      const bound = socket.address();
      options.listening?.({ host: bound.address, port: bound.port });
      resolve();
    });
  });
  void aborted(signal).then(() => {
    socket.close();
    wake();
  });
  let reported = { at: Number.NEGATIVE_INFINITY, dropped: 0 };
  while (!signal.aborted || queue.length > 0) {
    if (queue.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (!signal.aborted) await clock.sleep(gather_ms, signal);
    }
    const batch = queue.take();
    if (!batch.empty && !(await deliver(batch, { stream: "udp" }, { intake, clock, signal }))) break;
    if (queue.dropped > reported.dropped && clock.now() - reported.at >= report_us) {
      warn(
        "datagrams_dropped",
        `${queue.dropped - reported.dropped} datagrams dropped (${queue.dropped} in all): they came faster than they could be made durable`,
      );
      reported = { at: clock.now(), dropped: queue.dropped };
    }
  }
}

/** What came and is not yet handed on. */
export class DatagramQueue {
  dropped = 0;
  readonly #maxBytes: number;
  #records: RawRecord[] = [];
  #bytes = 0;
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }
  get length(): number {
    return this.#records.length;
  }
  push(record: RawRecord): void {
    const bytes = record.body.length + recordOverhead;
    if (this.#bytes + bytes > this.#maxBytes) {
      this.dropped++;
      return;
    }
    this.#records.push(record);
    this.#bytes += bytes;
  }
  take(): Batch {
    const batch = new Batch();
    let taken = 0;
    while (taken < this.#records.length && !batch.full) {
      const record = this.#records[taken++]!;
      this.#bytes -= record.body.length + recordOverhead;
      batch.push(record);
    }
    this.#records = this.#records.slice(taken);
    return batch;
  }
}
/** What a waiting record costs beside its bytes, roughly. */
const recordOverhead = 200;
