/** What benchmarks over a simulated cluster share: its inventory, and its records as intake would have taken them in. */
import { encodeRecords } from "@vedette/pipeline";
import type { Emitted, Simulation } from "@vedette/simulate";

/** What a record takes from being written to being received. */
const underway = 1_000_000;

/** The site's inventory, as an administrator would export it: which address is which node. */
export function inventory({ world: { site } }: Simulation): Buffer {
  const rows = [...site.compute, ...site.gpu].map(({ name, address }) => `${name},${address},${name},${site.cluster}`);
  return Buffer.from(`host,ip,node,cluster\n${rows.join("\n")}\n`);
}

/** The first part of a stream's name: what kind of record it has. */
export const kindOf = (stream: string): string => stream.split("/")[0]!;

/** A batch of the raw topic with the records of one stream, of which the first has this number. */
export function rawBatch(source: string, stream: string, format: string, own: readonly Emitted[], seq: number): Uint8Array {
  return encodeRecords(
    {
      kind: "records",
      version: 1,
      program: "",
      tenant: "main",
      source,
      received: own.at(-1)!.time + underway,
      demo: false,
      seq,
      runs: [{ stream, format, count: own.length }],
      positions: own.map((_, i) => `${stream} ${seq + i}`),
    },
    own.map(({ line }) => Buffer.from(line)),
  );
}
