/** Writes datagrams as exporters do, by the text of the RFCs and by nothing of the reader. */

type Bytes = readonly number[] | Buffer;
const u16 = (n: number): Buffer => Buffer.from([(n >> 8) & 255, n & 255]);
const u32 = (n: number): Buffer => Buffer.from([(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
export const u = (length: number, n: number): Buffer => Buffer.from(n.toString(16).padStart(2 * length, "0"), "hex");
export const ip4 = (text: string): Buffer => Buffer.from(text.split(".").map(Number));
export const join = (...parts: readonly Bytes[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));

export interface V5Flow {
  readonly from: string;
  readonly to: string;
  readonly ports: readonly [number, number];
  readonly protocol: number;
  readonly packets: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Cisco, "NetFlow Export Datagram Format", version 5. */
export function v5(
  flows: readonly V5Flow[],
  head: { uptime: number; secs: number; seq: number; sampling?: number; count?: number },
): Buffer {
  const records = flows.map((f) =>
    join(
      ...[ip4(f.from), ip4(f.to), ip4("192.0.2.254"), u16(1), u16(2), u32(f.packets), u32(f.bytes), u32(f.first), u32(f.last)],
      ...[u16(f.ports[0]), u16(f.ports[1]), [0, 0x1b, f.protocol, 0], u16(64_496), u16(64_497), [24, 16], [0, 0]],
    ),
  );
  return join(
    ...[
      u16(5),
      u16(head.count ?? flows.length),
      u32(head.uptime),
      u32(head.secs),
      u32(500_000_000),
      u32(head.seq),
      [1, 2],
      u16(0x4000 | (head.sampling ?? 0)),
    ],
    ...records,
  );
}

/** A set of either protocol, filled up to a multiple of four. */
export function set(id: number, ...parts: readonly Bytes[]): Buffer {
  const body = join(...parts);
  const filled = join(body, Buffer.alloc((4 - (body.length % 4)) % 4));
  return join(u16(id), u16(filled.length + 4), filled);
}
/** A template record of either protocol; a field may have an enterprise's number. */
export const template = (id: number, ...fields: readonly (readonly [number, number, number?])[]): Buffer =>
  join(u16(id), u16(fields.length), ...fieldsOf(fields));
/** RFC 3954, 6.1: the lengths are in bytes. */
export const v9Options = (
  id: number,
  scopes: readonly (readonly [number, number])[],
  fields: readonly (readonly [number, number])[],
): Buffer => join(u16(id), u16(4 * scopes.length), u16(4 * fields.length), ...fieldsOf([...scopes, ...fields]));
/** RFC 7011, 3.4.2.2: the counts are of fields. */
export const ipfixOptions = (id: number, scopes: number, ...fields: readonly (readonly [number, number, number?])[]): Buffer =>
  join(u16(id), u16(fields.length), u16(scopes), ...fieldsOf(fields));
const fieldsOf = (fields: readonly (readonly [number, number, number?])[]): Buffer[] =>
  fields.map(([id, length, pen]) => (pen === undefined ? join(u16(id), u16(length)) : join(u16(0x8000 | id), u16(length), u32(pen))));

export function v9(sets: readonly Buffer[], head: { seq: number; uptime?: number; secs?: number; domain?: number }): Buffer {
  return join(
    u16(9),
    u16(sets.length),
    u32(head.uptime ?? 100_000),
    u32(head.secs ?? 1_714_557_600),
    u32(head.seq),
    u32(head.domain ?? 1),
    ...sets,
  );
}
export function ipfix(sets: readonly Buffer[], head: { seq: number; secs?: number; domain?: number }): Buffer {
  const body = join(...sets);
  return join(u16(10), u16(body.length + 16), u32(head.secs ?? 1_714_557_600), u32(head.seq), u32(head.domain ?? 1), body);
}
