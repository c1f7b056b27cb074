/** Prometheus' remote write 1.0: the JSON that is kept of a request, as the protobuf and snappy that go over the wire. */

interface Label {
  readonly name: string;
  readonly value: string;
}
interface Request {
  readonly timeseries: readonly {
    readonly labels: readonly Label[];
    readonly samples: readonly { readonly value: number; readonly timestamp: string }[];
  }[];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; left > 0 || bytes.length === 0; left = Math.floor(left / 128)) bytes.push((left % 128) + (left >= 128 ? 128 : 0));
  return bytes;
}

/** A field of wire type 2: bytes with their length. */
const delimited = (field: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([field * 8 + 2, ...varint(bytes.length)]), bytes]);
const text = (field: number, value: string): Buffer => delimited(field, Buffer.from(value));

/** prometheus.Sample: value = 1 (double), timestamp = 2 (int64). */
function sample(value: number, timestamp: number): Buffer {
  const number = Buffer.alloc(9);
  number[0] = 1 * 8 + 1;
  number.writeDoubleLE(value, 1);
  return Buffer.concat([number, Buffer.from([2 * 8, ...varint(timestamp)])]);
}

/** prometheus.WriteRequest; Prometheus sends labels in the order of their names. */
export function writeRequestBytes(json: string): Buffer {
  const { timeseries } = JSON.parse(json) as Request;
  return Buffer.concat(
    timeseries.map(({ labels, samples }) => {
      const sorted = labels.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      return delimited(
        1,
        Buffer.concat([
          ...sorted.map(({ name, value }) => delimited(1, Buffer.concat([text(1, name), text(2, value)]))),
          ...samples.map((one) => delimited(2, sample(one.value, Number(one.timestamp)))),
        ]),
      );
    }),
  );
}

/** Snappy's block format with literals alone: valid for every reader, and not smaller than what went in. */
export function snappyLiterals(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from(varint(bytes.length))];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const part = bytes.subarray(at, at + 65_536);
    parts.push(Buffer.from([61 * 4, (part.length - 1) & 0xff, (part.length - 1) >>> 8]), part);
  }
  return Buffer.concat(parts);
}
