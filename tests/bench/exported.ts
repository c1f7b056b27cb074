/** Bodies as OpenTelemetry's exporters and Fluentd send them, for benchmarks. Knows no receiver. */
import { double, fixed64, message, text, varint } from "../../packages/ingest/src/protobuf.fixture.ts";

type Attributes = { readonly [name: string]: string | number };

const anyValue = (field: number, value: string | number): Buffer =>
  message(field, typeof value === "string" ? text(1, value) : varint(3, value));
const attributesOf = (field: number, attributes: Attributes): Buffer =>
  Buffer.concat(Object.entries(attributes).map(([key, value]) => message(field, text(1, key), anyValue(2, value))));

/** An export request of one resource and one scope, of whichever signal. */
export const exported = (resource: Attributes, records: readonly Buffer[]): Buffer =>
  message(
    1,
    message(1, attributesOf(1, resource)),
    message(2, message(1, text(1, "bench")), ...records.map((record) => message(2, record))),
  );

export const logRecord = (time: bigint, body: string, attributes: Attributes): Buffer =>
  Buffer.concat([fixed64(1, time), varint(2, 9), text(3, "INFO"), anyValue(5, body), attributesOf(6, attributes)]);

export const span = (n: number, start: bigint, attributes: Attributes): Buffer => {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(n + 1);
  return Buffer.concat([
    message(1, id),
    message(2, id.subarray(0, 8)),
    text(5, "GET /cart"),
    varint(6, 2),
    fixed64(7, start),
    fixed64(8, start + 2_000_000n),
    attributesOf(9, attributes),
  ]);
};

type Point = readonly [time: bigint, value: number, attributes: Attributes];
export const gauge = (name: string, points: readonly Point[]): Buffer =>
  Buffer.concat([
    text(1, name),
    message(5, ...points.map(([time, value, attributes]) => message(1, fixed64(3, time), double(4, value), attributesOf(7, attributes)))),
  ]);

const sized = (type: number, bytes: Uint8Array): Buffer => {
  const head = Buffer.from([type, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};
const str32 = (value: string): Buffer => sized(0xdb, Buffer.from(value));
const map = (told: { readonly [key: string]: string }): Buffer =>
  Buffer.concat([Buffer.from([0x80 + Object.keys(told).length]), ...Object.entries(told).flat().map(str32)]);

/** An entry of the forward protocol with its time to the nanosecond. */
export function forwardEntry(seconds: number, record: { readonly [key: string]: string }): Buffer {
  const time = Buffer.alloc(10);
  time.writeUInt16BE(0xd700);
  time.writeUInt32BE(seconds, 2);
  return Buffer.concat([Buffer.from([0x92]), time, map(record)]);
}
/** Entries packed one after another, which may be compressed. */
export const forwardChunk = (tag: string, entries: Uint8Array, options: { readonly [option: string]: string }): Buffer =>
  Buffer.concat([Buffer.from([0x93]), str32(tag), sized(0xc6, entries), map(options)]);
