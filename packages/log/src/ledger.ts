/** Positions and counts as one partition's frames say them, and their form in a snapshot. Knows no stream by name. */
import type { Meta } from "./frame.ts";

/** A snapshot part holds about this many bytes: no frame grows with the number of streams. */
const PART_BYTES = 1 << 20;

interface Position {
  readonly value: string;
  readonly sequence: number;
}

export class Ledger {
  readonly positions = new Map<string, Position>();
  readonly counts = new Map<string, number>();
  /** Highest sequence any frame carried. */
  sequence = -1;

  apply(meta: Meta, sequence: number): void {
    for (const [stream, value] of meta.positions) this.#place(stream, value, sequence);
    for (const [counter, value] of meta.counts) this.counts.set(counter, (this.counts.get(counter) ?? 0) + value);
    if (sequence > this.sequence) this.sequence = sequence;
  }

  #place(stream: string, value: string, sequence: number): void {
    const before = this.positions.get(stream);
    if (before === undefined || before.sequence <= sequence) this.positions.set(stream, { value, sequence });
  }

  /** Bodies of the snapshot frames, at least one: `[part, parts, [[stream, value, sequence]…], [[counter, value]…]]` as JSON. */
  snapshot(): Uint8Array[] {
    const parts: { positions: (readonly [string, string, number])[]; counts: (readonly [string, number])[] }[] = [];
    let room = 0;
    const part = (bytes: number) => {
      if (room < bytes || parts.length === 0) {
        parts.push({ positions: [], counts: [] });
        room = PART_BYTES;
      }
      room -= bytes;
      return parts.at(-1)!;
    };
    for (const [stream, { value, sequence }] of this.positions) {
      part(stream.length + value.length + 24).positions.push([stream, value, sequence]);
    }
    for (const [counter, value] of this.counts) part(counter.length + 24).counts.push([counter, value]);
    if (parts.length === 0) part(0);
    return parts.map(({ positions, counts }, index) => Buffer.from(JSON.stringify([index, parts.length, positions, counts])));
  }

  /** Takes one snapshot body in. Returns how many parts there are, or undefined if it is of another shape. */
  restore(body: Uint8Array): number | undefined {
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString());
    } catch {
      return undefined;
    }
    if (!Array.isArray(parsed)) return undefined;
    const [, parts, positions, counts] = parsed as unknown[];
    if (typeof parts !== "number" || !Array.isArray(positions) || !Array.isArray(counts)) return undefined;
    for (const [stream, value, sequence] of positions) {
      this.#place(stream, value, sequence);
      if (sequence > this.sequence) this.sequence = sequence;
    }
    for (const [counter, value] of counts) this.counts.set(counter, value);
    return parts;
  }
}

/** Where streams stand over several partitions: of each the position of the highest sequence. */
export function newestPositions(ledgers: Iterable<Ledger>): Map<string, string> {
  const newest = new Map<string, Position>();
  for (const { positions } of ledgers) {
    for (const [stream, position] of positions) {
      if ((newest.get(stream)?.sequence ?? -1) < position.sequence) newest.set(stream, position);
    }
  }
  return new Map([...newest].map(([stream, { value }]) => [stream, value]));
}

export function sumCounts(ledgers: Iterable<Ledger>): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { counts } of ledgers) {
    for (const [counter, value] of counts) sums.set(counter, (sums.get(counter) ?? 0) + value);
  }
  return sums;
}
