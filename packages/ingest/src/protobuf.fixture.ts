/** Writes protobuf by hand, for tests: numbers of 64 bits beside what `writeMessage` has. */
import { writeMessage } from "./protobuf.ts";

const tagged = (field: number, wire: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([field * 8 + wire]), bytes]);
const eight = (write: (into: Buffer) => void): Buffer => {
  const bytes = Buffer.alloc(8);
  write(bytes);
  return bytes;
};
export const double = (field: number, value: number): Buffer =>
  tagged(
    field,
    1,
    eight((into) => into.writeDoubleLE(value)),
  );
export const fixed64 = (field: number, value: bigint): Buffer =>
  tagged(
    field,
    1,
    eight((into) => into.writeBigInt64LE(value)),
  );
export const message = (field: number, ...parts: readonly Uint8Array[]): Buffer => writeMessage([field, Buffer.concat(parts)]);
export const text = (field: number, value: string): Buffer => writeMessage([field, value]);
export const varint = (field: number, value: number): Buffer => writeMessage([field, value]);
/** Numbers one after the other, each of one byte. */
export const packed = (field: number, ...values: readonly number[]): Buffer => writeMessage([field, Buffer.from(values)]);
