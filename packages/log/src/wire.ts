/** The messages between the log's thread and those who use it. Batches travel in transferred buffers, never cloned one by one. */
import { BadInputError, type ErrorCode, errorCodes, UnavailableError, VedetteError } from "@vedette/kit";
import type { AppendOptions, Damaged, Entry, Topic } from "./log.ts";

/** Batches packed into one buffer: of each its length, in order. */
export interface AppendMessage {
  readonly kind: "append";
  readonly first: number;
  readonly items: readonly {
    readonly topic: Topic;
    readonly partition: number;
    readonly length: number;
    readonly options: AppendOptions | undefined;
  }[];
  readonly buffer: ArrayBuffer;
}
export type CallMethod = "read" | "wait" | "bounds" | "positions" | "counts" | "retain" | "damage" | "encrypt" | "close";
export interface CallMessage {
  readonly kind: "call";
  readonly id: number;
  readonly method: CallMethod;
  readonly arguments: readonly unknown[];
}
/** The waiting call `id` is not wanted any more. */
export interface AbortMessage {
  readonly kind: "abort";
  readonly id: number;
}
export type Request = AppendMessage | CallMessage | AbortMessage;

export interface WireError {
  readonly code: string | undefined;
  readonly permanent: boolean;
  readonly message: string;
}
export interface Outcome {
  readonly id: number;
  readonly value: unknown;
  readonly error: WireError | undefined;
}
/** All that became known in one turn of the thread's loop. */
export interface Reply {
  readonly outcomes: readonly Outcome[];
}

export interface PackedEntries {
  readonly buffer: ArrayBuffer;
  readonly entries: readonly { readonly offset: number; readonly length: number; readonly damaged: string | undefined }[];
}

export function packEntries(found: readonly (Entry | Damaged)[]): PackedEntries {
  let total = 0;
  for (const entry of found) if ("bytes" in entry) total += entry.bytes.length;
  const bytes = new Uint8Array(total);
  let at = 0;
  const entries = found.map((entry) => {
    if (!("bytes" in entry)) return { offset: entry.offset, length: 0, damaged: entry.damaged };
    bytes.set(entry.bytes, at);
    at += entry.bytes.length;
    return { offset: entry.offset, length: entry.bytes.length, damaged: undefined };
  });
  return { buffer: bytes.buffer, entries };
}

export function unpackEntries(packed: PackedEntries): (Entry | Damaged)[] {
  let at = 0;
  return packed.entries.map(({ offset, length, damaged }) => {
    if (damaged !== undefined) return { offset, damaged };
    const bytes = new Uint8Array(packed.buffer, at, length);
    at += length;
    return { offset, bytes };
  });
}

export function toWireError(cause: unknown): WireError {
  if (!(cause instanceof Error)) return { code: undefined, permanent: false, message: String(cause) };
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  return { code, permanent: cause instanceof VedetteError && cause.permanent, message: cause.message };
}

export function fromWireError({ code, permanent, message }: WireError): Error {
  if (code === undefined || !Object.hasOwn(errorCodes, code)) return new Error(message);
  return permanent ? new BadInputError(code as ErrorCode, message) : new UnavailableError(code as ErrorCode, message);
}
