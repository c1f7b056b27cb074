/** The mark beside a partition's segments: how far the log was certainly durable. A hint, never needed to start. */
import { crc32c } from "./crc32c.ts";
import { type Disk, type DiskFile, errorCode } from "./disk.ts";
import { readOffset, writeOffset } from "./frame.ts";

/** Written after a group's fdatasync has returned, itself not synced: where it survives it is true. */
export interface Mark {
  /** All offsets below were given out or burnt: none of them is given out again. */
  readonly end: number;
  /** Up to `bytes` the segment of that base was durable: damage before it is the medium's, not a torn write. */
  readonly segment: number;
  readonly bytes: number;
}

/** Two slots written in turn, a disk sector apart: a torn write spoils only one. */
const SLOT_BYTES = 512;
const USED_BYTES = 48;
const MAGIC = Buffer.from("VEDLOGMK", "latin1");

export class MarkFile {
  readonly #file: DiskFile;
  #turn: number;
  /** What start-up found; undefined for none or none intact. */
  readonly found: Mark | undefined;
  readonly damagedSlots: number;

  private constructor(file: DiskFile, turn: number, found: Mark | undefined, damagedSlots: number) {
    this.#file = file;
    this.#turn = turn;
    this.found = found;
    this.damagedSlots = damagedSlots;
  }

  static async open(disk: Disk, path: string): Promise<MarkFile> {
    let file: DiskFile;
    try {
      file = await disk.open(path, "write");
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT") throw cause;
      file = await disk.open(path, "create");
      return new MarkFile(file, 0, undefined, 0);
    }
    const bytes = Buffer.alloc(2 * SLOT_BYTES);
    try {
      await file.read(bytes, 0);
    } catch (cause) {
      if (errorCode(cause) !== "EIO") throw cause;
    }
    const slots = [0, 1].map((slot) => bytes.subarray(slot * SLOT_BYTES, slot * SLOT_BYTES + USED_BYTES));
    const decoded = slots.map(decode);
    const damaged = slots.filter((slot, index) => decoded[index] === undefined && slot.some((byte) => byte !== 0)).length;
    const [first, second] = decoded;
    const newest = first && second ? (first.turn > second.turn ? first : second) : (first ?? second);
    return new MarkFile(file, (newest?.turn ?? 0) + 1, newest, damaged);
  }

  async write(mark: Mark, durable: boolean): Promise<void> {
    const turn = this.#turn++;
    await this.#file.write(encode(mark, turn), (turn % 2) * SLOT_BYTES);
    if (durable) await this.#file.datasync();
  }
  close(): Promise<void> {
    return this.#file.close();
  }
}

function encode(mark: Mark, turn: number): Buffer {
  const bytes = Buffer.alloc(USED_BYTES);
  MAGIC.copy(bytes, 0);
  writeOffset(bytes, turn, 8);
  writeOffset(bytes, mark.end, 16);
  writeOffset(bytes, mark.segment, 24);
  writeOffset(bytes, mark.bytes, 32);
  bytes.writeUInt32LE(crc32c(bytes, 0, USED_BYTES - 4), USED_BYTES - 4);
  return bytes;
}

function decode(bytes: Buffer): (Mark & { turn: number }) | undefined {
  if (!bytes.subarray(0, 8).equals(MAGIC)) return undefined;
  if (crc32c(bytes, 0, USED_BYTES - 4) !== bytes.readUInt32LE(USED_BYTES - 4)) return undefined;
  return { turn: readOffset(bytes, 8), end: readOffset(bytes, 16), segment: readOffset(bytes, 24), bytes: readOffset(bytes, 32) };
}
