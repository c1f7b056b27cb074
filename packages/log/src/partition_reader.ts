/** Reads batches back from a partition's segments, verified, and says what is lost. Changes nothing. */
import { type DamageLedger, KEEP_BYTES } from "./damage.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { decodePayload, type FrameHeader, SEGMENT_HEADER_BYTES } from "./frame.ts";
import type { Damaged, Entry } from "./log.ts";
import { type Expectation, type Hole, step, Window } from "./scan.ts";
import type { Seals } from "./seal.ts";
import type { Place, Segment } from "./segment.ts";

/** Read-ahead: a few hundred small frames, or the head of a large one. */
const READ_WINDOW_BYTES = 128 << 10;
/** What a lost offset counts against `maxBytes`. */
const DAMAGED_BYTES = 64;

/** One answer being put together: every offset from `next` on, as an entry or as damaged. */
class Answer {
  readonly found: (Entry | Damaged)[] = [];
  next: number;
  #room: number;
  constructor(from: number, maxBytes: number) {
    this.next = from;
    this.#room = maxBytes;
  }
  get full(): boolean {
    return this.#room <= 0 && this.found.length > 0;
  }
  add(bytes: Uint8Array): void {
    this.found.push({ offset: this.next++, bytes });
    this.#room -= bytes.length;
  }
  lost(until: number, damaged: string): void {
    while (this.next < until && !this.full) {
      this.found.push({ offset: this.next++, damaged });
      this.#room -= DAMAGED_BYTES;
    }
  }
}

export class PartitionReader {
  readonly #disk: Disk;
  readonly #place: Place;
  readonly #damage: DamageLedger;
  readonly #seals: Seals;
  #open: { readonly segment: Segment; readonly file: DiskFile } | undefined;

  constructor(disk: Disk, place: Place, damage: DamageLedger, seals: Seals) {
    this.#seals = seals;
    this.#disk = disk;
    this.#place = place;
    this.#damage = damage;
  }

  /** Calls must not overlap. `segments` are sorted and not empty; `end` is the first offset that is not durable. */
  async read(segments: readonly Segment[], end: number, from: number, maxBytes: number): Promise<readonly (Entry | Damaged)[]> {
    const answer = new Answer(from, maxBytes);
    let at = segments.findLastIndex((segment) => segment.base <= from);
    for (; at < segments.length && !answer.full && answer.next < end; at++) {
      const segment = segments[at]!;
      const limit = Math.min(segments[at + 1]?.base ?? end, end);
      answer.lost(Math.min(segment.base, end), "missing segment");
      if (answer.next < limit && !answer.full) await this.#readSegment(segment, limit, answer);
    }
    return answer.found;
  }

  async #readSegment(segment: Segment, limit: number, answer: Answer): Promise<void> {
    const window = new Window(await this.#file(segment), segment.bytes, READ_WINDOW_BYTES);
    const start = segment.index.before(answer.next) ?? { offset: segment.base, position: SEGMENT_HEADER_BYTES };
    const expect: Expectation = { salt: segment.salt, next: start.offset, limit };
    let position = start.position;
    let reason = "missing at the end of its segment";
    while (answer.next < limit && !answer.full) {
      const found = await step(window, position, expect, false);
      if (found === undefined) break;
      if (found.kind === "hole") {
        reason = found.reason;
        await this.#report(segment, found, window);
        if (found.offset !== undefined) expect.next = found.offset + 1;
        position = found.end;
        continue;
      }
      const { header } = found;
      if (header.snapshot) await this.#verifySnapshot(segment, position, header, window);
      else {
        segment.index.note(header.offset, position);
        expect.next = header.offset + 1;
        answer.lost(header.offset, reason);
        if (header.offset === answer.next && !answer.full) {
          // The window's buffer is another one after this.
          const at = (await window.at(position, header.bytes))!;
          const batch = decodePayload(window.buffer, at, header, this.#seals);
          if (typeof batch === "string") {
            await this.#report(segment, { position, end: position + header.bytes, reason: batch }, window);
            answer.lost(header.offset + 1, batch);
          } else answer.add(batch);
        }
      }
      position += header.bytes;
    }
    if (!answer.full) answer.lost(limit, reason);
  }

  /** Not needed to read on, but whoever passes by says that it would not help at start-up. */
  async #verifySnapshot(segment: Segment, position: number, header: FrameHeader, window: Window): Promise<void> {
    const at = (await window.at(position, header.bytes))!;
    const body = decodePayload(window.buffer, at, header);
    if (typeof body === "string")
      await this.#report(segment, { position, end: position + header.bytes, reason: `snapshot: ${body}` }, window);
  }

  async #file(segment: Segment): Promise<DiskFile> {
    if (this.#open?.segment !== segment) {
      await this.close();
      this.#open = { segment, file: await this.#disk.open(segment.path, "read") };
    }
    return this.#open.file;
  }

  async #report(segment: Segment, hole: Pick<Hole, "position" | "end" | "reason">, window: Window): Promise<void> {
    const { topic, partition, directory } = this.#place;
    const name = `${segment.path.slice(directory.length + 1)}@${hole.position}`;
    const entry = { topic, partition, where: `${topic}/${partition}/${name}`, reason: hole.reason, bytes: hole.end - hole.position };
    if (!this.#damage.report(entry)) return;
    const count = Math.min(entry.bytes, KEEP_BYTES);
    const at = await window.at(hole.position, count);
    if (at !== undefined) await this.#damage.keep(`${topic}-${partition}-${name}`, Buffer.from(window.buffer.subarray(at, at + count)));
  }

  /** Lets go of the file it holds open, so that it may be removed. */
  async close(): Promise<void> {
    const held = this.#open;
    this.#open = undefined;
    await held?.file.close();
  }
}
