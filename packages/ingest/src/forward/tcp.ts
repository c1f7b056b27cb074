/** Reads the forward protocol from a connection: the handshake, then message by message, each acknowledged when it is durable. Knows nothing of what records mean. */
import type { Socket } from "node:net";
import { Batch, flawedRecord } from "../batch.ts";
import { bodyCaps } from "../body.ts";
import { deliver } from "../deliver.ts";
import { incomplete, tooDeep } from "../json_scan.ts";
import { type ListenContext, type ListenOptions, listen, piecesOf } from "../tcp.ts";
import { Handshake, maxPingBytes } from "./handshake.ts";
import { type ForwardMessage, forwardRecords, readForward } from "./message.ts";
import { NotMsgpack, pack, ValueScanner } from "./msgpack.ts";

export interface ForwardListenOptions extends ListenOptions {
  /** Without it everyone may send. */
  readonly key: string | undefined;
  readonly maxMessageBytes: number;
  readonly maxRecordBytes: number;
}

/** A client that does not answer the server's greeting is none. */
const handshake_ms = 10_000;

export function listenForward(options: ForwardListenOptions, context: ListenContext): Promise<void> {
  return listen(options, context, (socket, token) => new Connection(socket, token, options, context).read());
}

class Connection {
  readonly #socket: Socket;
  readonly #token: string;
  readonly #options: ForwardListenOptions;
  readonly #context: ListenContext;
  readonly #peer: string | undefined;
  #messages = 0;

  constructor(socket: Socket, token: string, options: ForwardListenOptions, context: ListenContext) {
    this.#socket = socket;
    this.#token = token;
    this.#options = options;
    this.#context = context;
    this.#peer = socket.remoteAddress;
  }

  async read(): Promise<void> {
    const { key, maxMessageBytes } = this.#options;
    const handshake = key === undefined ? undefined : new Handshake(key);
    if (handshake !== undefined) {
      this.#socket.write(handshake.helo());
      this.#socket.setTimeout(handshake_ms);
    }
    let known = handshake === undefined;
    const values = new Values();
    for await (const piece of piecesOf(this.#socket, this.#options, this.#context)) {
      values.add(piece);
      for (;;) {
        const value = values.next(known ? maxMessageBytes : maxPingBytes);
        if (value === undefined) break;
        const fine = known ? await this.#take(value) : await this.#greet(handshake!, value);
        if (!fine) return;
        known = true;
      }
    }
    if (known && values.rest.length > 0) await this.#refuse(values.rest, "a whole message; the connection ended within it");
  }

  async #greet(handshake: Handshake, value: Value): Promise<boolean> {
    const { known, answer } = value.problem === undefined ? pongOf(handshake, value.bytes) : { known: false, answer: undefined };
    if (known) {
      this.#socket.write(answer!);
      this.#socket.setTimeout(this.#options.idle_ms);
      return true;
    }
    this.#context.warn("forward_refused", `${this.#peer ?? "?"}: the sender does not know the shared key`);
    if (answer !== undefined) await new Promise((resolve) => this.#socket.end(answer, () => resolve(undefined)));
    return false;
  }

  /** False where the connection is to be closed: what follows a message that is none cannot be trusted to be one. */
  async #take({ bytes, problem }: Value): Promise<boolean> {
    const message = problem === undefined ? messageOf(bytes) : problem;
    if (typeof message === "string") return this.#refuse(bytes, message);
    const forward = { token: `${this.#token}:${this.#messages++}`, peer: this.#peer, maxRecordBytes: this.#options.maxRecordBytes };
    // What is packed together may be as large as a body of HTTP.
    let batch = new Batch();
    for await (const record of forwardRecords(message, { ...forward, caps: bodyCaps })) {
      batch.push(record);
      if (!batch.full) continue;
      if (!(await this.#deliver(batch))) return false;
      batch = new Batch();
    }
    if (!batch.empty && !(await this.#deliver(batch))) return false;
    if (message.chunk !== undefined && this.#socket.writable) this.#socket.write(pack({ ack: message.chunk }));
    return true;
  }

  async #refuse(bytes: Buffer, problem: string): Promise<false> {
    const flaw = { code: "bad_request", expected: `a message of the forward protocol: ${problem}` };
    const batch = new Batch();
    batch.push(flawedRecord(`${this.#token}:${this.#messages++}`, bytes, flaw, this.#options.maxMessageBytes, this.#peer));
    this.#context.warn("forward_failed", `${this.#peer ?? "?"}: ${problem}; the connection was closed`);
    await this.#deliver(batch);
    return false;
  }

  #deliver(batch: Batch): Promise<boolean> {
    const { intake, clock, signal } = this.#context;
    return deliver(batch, { stream: `forward ${this.#peer ?? "?"}` }, { intake, clock, signal });
  }
}

function pongOf(handshake: Handshake, ping: Buffer): { readonly known: boolean; readonly answer: Buffer | undefined } {
  try {
    return handshake.pong(ping);
  } catch (error) {
    if (error instanceof NotMsgpack) return { known: false, answer: undefined };
    throw error;
  }
}

function messageOf(bytes: Buffer): ForwardMessage | string {
  try {
    return readForward(bytes) ?? "[tag, …] with a time, a list or packed entries";
  } catch (error) {
    if (error instanceof NotMsgpack) return error.message;
    throw error;
  }
}

/** The bytes of one value, or of what is left and why it is none. */
interface Value {
  readonly bytes: Buffer;
  readonly problem: string | undefined;
}

/** Memory a connection keeps between messages. */
const keptMemory = 1024 * 1024;

/** Gathers pieces into whole values, which are to be used before the next piece is added. The memory grows by doubling, so that a value of many pieces is not copied for each. */
class Values {
  #memory = Buffer.alloc(65_536);
  #from = 0;
  #to = 0;
  #scanner = new ValueScanner();

  get rest(): Buffer {
    return this.#memory.subarray(this.#from, this.#to);
  }
  add(piece: Uint8Array): void {
    if (this.#from === this.#to) {
      this.#from = 0;
      this.#to = 0;
      if (this.#memory.length > keptMemory) this.#memory = Buffer.alloc(65_536);
    }
    const length = this.#to - this.#from + piece.length;
    if (this.#to + piece.length > this.#memory.length) {
      const larger = Buffer.alloc(Math.max(65_536, length > this.#memory.length / 2 ? 2 * length : length));
      this.rest.copy(larger);
      this.#memory = larger;
      this.#to -= this.#from;
      this.#from = 0;
    }
    this.#memory.set(piece, this.#to);
    this.#to += piece.length;
  }
  /** Undefined while no value is whole. */
  next(maxBytes: number): Value | undefined {
    if (this.#from === this.#to) return undefined;
    const { rest } = this;
    const end = this.#scanner.scan(rest);
    if (end > maxBytes || (end === incomplete && rest.length > maxBytes)) return { bytes: rest, problem: `at most ${maxBytes} bytes` };
    if (end === incomplete) return undefined;
    if (end < 0) return { bytes: rest, problem: end === tooDeep ? "nested at most 64 deep" : "MessagePack" };
    this.#from += end;
    this.#scanner = new ValueScanner();
    return { bytes: rest.subarray(0, end), problem: undefined };
  }
}
