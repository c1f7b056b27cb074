/** Writes small MaxMind DB files for tests, by the format's specification (version 2.0, records of 24 bits), independently of the reader. */
import { type Network, parseNetwork } from "@vedette/condition";

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

const control = (type: number, size: number): Buffer => {
  const extended = type > 7;
  const first = (extended ? 0 : type << 5) | (size < 29 ? size : 29);
  return Buffer.from([first, ...(extended ? [type - 7] : []), ...(size < 29 ? [] : [size - 29])]);
};

function encode(value: Value): Buffer {
  if (typeof value === "string") return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === "boolean") return control(14, value ? 1 : 0);
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value < 0) {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value);
      return Buffer.concat([control(3, 8), bytes]);
    }
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(6, 4), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value as { readonly [key: string]: Value });
  return Buffer.concat([control(7, entries.length), ...entries.flatMap(([key, one]) => [encode(key), encode(one)])]);
}

interface Node {
  children: [Node | undefined, Node | undefined];
  data?: number;
  number: number;
}

/** A file of IPv6 (IPv4 networks below ::/96, as the specification has it). */
export function makeMmdb(records: { readonly [network: string]: Value }, type = "Test"): Buffer {
  const root: Node = { children: [undefined, undefined], number: 0 };
  const data: Buffer[] = [];
  let size = 0;
  for (const [text, record] of Object.entries(records)) {
    const network = parseNetwork(text) as Network;
    const bits = network.v4 ? network.bits + 96 : network.bits;
    let at = root;
    for (let i = 0; i < bits; i++) {
      const bit = (network.words[i >> 5]! >>> (31 - (i & 31))) & 1;
      at.children[bit] ??= { children: [undefined, undefined], number: 0 };
      at = at.children[bit]!;
    }
    const bytes = encode(record);
    at.data = size;
    data.push(bytes);
    size += bytes.length;
  }
  const nodes: Node[] = [];
  const collect = (node: Node) => {
    node.number = nodes.push(node) - 1;
    for (const child of node.children) if (child && child.data === undefined) collect(child);
  };
  collect(root);
  const tree = Buffer.alloc(nodes.length * 6);
  nodes.forEach((node, i) => {
    node.children.forEach((child, bit) => {
      const value = child === undefined ? nodes.length : child.data === undefined ? child.number : nodes.length + 16 + child.data;
      tree.writeUIntBE(value, i * 6 + bit * 3, 3);
    });
  });
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: type,
    description: { en: "test" },
    ip_version: 6,
    languages: ["en"],
    node_count: nodes.length,
    record_size: 24,
  });
  return Buffer.concat([tree, Buffer.alloc(16), ...data, Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"), metadata]);
}
