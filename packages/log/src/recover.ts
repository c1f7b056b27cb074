/** Brings one partition's files to a state that can be appended to, losing only what is damaged. Never throws over what it reads. */
import { type DamageLedger, KEEP_BYTES } from "./damage.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { decodeMeta, decodePayload, decodeSegmentHeader, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from "./frame.ts";
import { Ledger } from "./ledger.ts";
import { MarkFile } from "./mark.ts";
import { type Expectation, type Hole, scan, Window } from "./scan.ts";
import { markPath, type Place, type Segment, SparseIndex, segmentBase, segmentName } from "./segment.ts";

/** Read-ahead of a scan: large enough that the system call does not count. */
const SCAN_WINDOW_BYTES = 1 << 20;

export interface Recovered {
  readonly segments: Segment[];
  /** Next offset to give out. */
  readonly end: number;
  readonly ledger: Ledger;
  readonly mark: MarkFile | undefined;
  /** Whether the last segment may be appended to; if not, a new one is due. */
  readonly resume: boolean;
}

/** What a scan of one segment says. */
interface Survey {
  readonly ledger: Ledger;
  batches: number;
  /** One past the highest offset seen in any intact frame header. */
  next: number;
  /** Damage before this position cannot be a torn write: a later group was begun after its fdatasync. */
  proven: number;
  /** A complete snapshot was found, so that no earlier segment is needed. */
  snapshot: boolean;
  readonly holes: Hole[];
}

export class Recovery {
  readonly #disk: Disk;
  readonly #place: Place;
  readonly #damage: DamageLedger;
  readonly #segments: Segment[] = [];
  #headersIntact = new Set<Segment>();

  constructor(disk: Disk, place: Place, damage: DamageLedger) {
    this.#disk = disk;
    this.#place = place;
    this.#damage = damage;
  }

  async run(): Promise<Recovered> {
    await this.#inventory();
    const mark = await this.#openMark();
    if (mark !== undefined && mark.damagedSlots > 0) this.#report("mark", "mark", mark.damagedSlots * 512);
    const marked = mark?.found;
    let limit = Number.MAX_SAFE_INTEGER;
    const dead: Segment[] = [];
    for (;;) {
      const last = this.#segments.at(-1);
      if (last === undefined) {
        const end = marked?.end ?? 0;
        await this.#bury(dead, end);
        return { segments: this.#segments, end, ledger: new Ledger(), mark, resume: false };
      }
      const survey = await this.#survey(this.#segments.length - 1, last.bytes, limit);
      if (survey.batches > 0 || (survey.snapshot && this.#headersIntact.has(last))) {
        const settled = await this.#settle(last, survey, limit, mark);
        const buried = await this.#bury(dead, settled.end);
        return { ...settled, resume: settled.resume && buried };
      }
      // Its creation never finished or nothing of it reads: the segment before it tells how things stood.
      dead.unshift(last);
      this.#segments.pop();
      limit = last.base;
    }
  }

  /** A partition that was never written to gets no folder by being looked at. */
  async #openMark(): Promise<MarkFile | undefined> {
    if ((await this.#disk.stat(this.#place.directory)) === undefined) return undefined;
    return await MarkFile.open(this.#disk, markPath(this.#place)).catch(() => undefined);
  }

  /** Finds the segments and gives each a light check: name, header, the one before it. */
  async #inventory(): Promise<void> {
    const { directory } = this.#place;
    const bases: number[] = [];
    for (const name of await this.#disk.list(directory)) {
      const base = segmentBase(name);
      if (base !== undefined) bases.push(base);
      else if (name !== "mark") this.#report(name, "not a segment's name", 0);
    }
    bases.sort((a, b) => a - b);
    for (const base of bases) {
      const path = `${directory}/${segmentName(base)}`;
      const found = await this.#disk.stat(path);
      if (found === undefined || found.directory) {
        this.#report(segmentName(base), "not a file", 0);
        continue;
      }
      const { bytes } = found;
      const segment: Segment = { base, path, bytes, salt: undefined, index: new SparseIndex() };
      await this.#checkHeader(segment, this.#segments.at(-1));
      this.#segments.push(segment);
    }
  }

  async #checkHeader(segment: Segment, before: Segment | undefined): Promise<void> {
    const name = segment.path.slice(this.#place.directory.length + 1);
    if (segment.bytes === 0) return void this.#report(name, "empty segment", 0);
    const file = await this.#disk.open(segment.path, "read");
    try {
      const window = new Window(file, segment.bytes, SEGMENT_HEADER_BYTES);
      const at = await window.at(0, SEGMENT_HEADER_BYTES);
      const header = at === undefined ? undefined : decodeSegmentHeader(window.buffer);
      const { topic, partition } = this.#place;
      if (header?.base !== segment.base || header.topic !== topic || header.partition !== partition) {
        return void this.#report(name, "segment header", SEGMENT_HEADER_BYTES);
      }
      segment.salt = header.salt;
      this.#headersIntact.add(segment);
      if (before !== undefined && header.previous !== before.base && header.previous !== segment.base) {
        this.#report(name, `the segment from offset ${header.previous} before it is missing`, 0);
      }
    } finally {
      await file.close();
    }
  }

  /** State at the end of segment `at`: from its own snapshot or, that being damaged, from the segments before. */
  async #survey(at: number, bytes: number, limit: number): Promise<Survey> {
    const own = await this.#scan(this.#segments[at]!, bytes, limit, new Ledger());
    if (own.snapshot || at === 0) return own;
    const before = await this.#survey(at - 1, this.#segments[at - 1]!.bytes, this.#segments[at]!.base);
    return await this.#scan(this.#segments[at]!, bytes, limit, before.ledger);
  }

  async #scan(segment: Segment, bytes: number, limit: number, ledger: Ledger): Promise<Survey> {
    const survey: Survey = { ledger, batches: 0, next: segment.base, proven: 0, snapshot: false, holes: [] };
    let parts = 0;
    const file = await this.#disk.open(segment.path, "read");
    try {
      const expect: Expectation = { salt: segment.salt, next: segment.base, limit };
      await scan(new Window(file, bytes, SCAN_WINDOW_BYTES), expect, {
        frame({ header, at, position }, { buffer }) {
          if (header.groupStart > survey.proven) survey.proven = header.groupStart;
          if (header.snapshot) {
            const body = decodePayload(buffer, at, header);
            const whole = typeof body === "string" ? undefined : ledger.restore(body);
            parts++;
            if (whole === parts) survey.snapshot = true;
            return;
          }
          const body = at + FRAME_HEADER_BYTES;
          const meta = decodeMeta(buffer.subarray(body, body + header.metaBytes));
          if (meta !== undefined) ledger.apply(meta, header.sequence);
          segment.index.note(header.offset, position);
          survey.batches++;
          survey.next = header.offset + 1;
        },
        hole(hole) {
          survey.holes.push(hole);
          if (hole.offset !== undefined) survey.next = hole.offset + 1;
        },
      });
      segment.salt = expect.salt;
    } finally {
      await file.close();
    }
    return survey;
  }

  /** Decides what of the last segment stays, makes that durable, and says where the log goes on. */
  async #settle(last: Segment, survey: Survey, limit: number, mark: MarkFile | undefined): Promise<Recovered> {
    const marked = mark?.found;
    const proven = Math.max(survey.proven, marked?.segment === last.base ? marked.bytes : 0);
    const size = last.bytes;
    // Behind a torn write of the last group nothing counts: a later position must not outlive an earlier batch.
    const cut = survey.holes.find((hole) => hole.position >= proven || hole.end === size);
    for (const hole of survey.holes) {
      if (hole === cut) break;
      await this.#quarantine(last, hole.position, hole.end, hole.reason);
    }
    let end = Math.max(survey.next, marked?.end ?? 0);
    let kept = survey;
    if (cut !== undefined) {
      await this.#quarantine(last, cut.position, size, `${cut.reason}: tail cut off`);
      const tail = survey.holes.at(-1)!;
      // Its header unreadable, the last frame's offset is known only to have followed.
      if (tail.end === size && tail.offset === undefined) end = Math.max(end, survey.next + 1);
      // First the burnt offsets, then the evidence for them.
      await mark?.write({ end, segment: last.base, bytes: cut.position }, true).catch(() => undefined);
      last.bytes = cut.position;
      kept = await this.#survey(this.#segments.length - 1, cut.position, limit);
    }
    await this.#makeDurable(last, Math.min(proven, last.bytes), cut !== undefined);
    const resume = cut === undefined && this.#headersIntact.has(last) && end === kept.next;
    if (end > kept.next) this.#report(`offsets ${kept.next}-${end - 1}`, "lost at the end of the log", 0);
    return { segments: this.#segments, end, ledger: kept.ledger, mark, resume };
  }

  /**
   * What survived a killed process may be in the page cache only; nobody reads it before it is on the medium. It is written again first: where an
   * earlier fdatasync failed, the system takes its pages for clean and would sync nothing.
   * @throws the system's error where the medium does not take it
   */
  async #makeDurable(segment: Segment, proven: number, truncate: boolean): Promise<void> {
    await this.#disk.syncDirectory(this.#place.directory);
    const file = await this.#disk.open(segment.path, "write");
    try {
      if (truncate) await file.truncate(segment.bytes);
      const unsure = Buffer.alloc(Math.max(0, segment.bytes - proven));
      if (unsure.length > 0 && (await file.read(unsure, proven)) === unsure.length) await file.write(unsure, proven);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  /** Unreadable segments at the end: one that held batches stays in its place, for its offsets are lost; any other leaves. True if none stayed. */
  async #bury(dead: readonly Segment[], end: number): Promise<boolean> {
    for (const segment of dead) {
      const name = segment.path.slice(this.#place.directory.length + 1);
      this.#report(name, "nothing in it reads", segment.bytes);
      if (segment.base < end) this.#segments.push(segment);
      else await this.#damage.remove(segment.path, this.#place.directory, this.#keepName(name), segment.bytes);
    }
    return dead.every(({ base }) => base >= end);
  }

  async #quarantine(segment: Segment, from: number, to: number, reason: string): Promise<void> {
    const name = segment.path.slice(this.#place.directory.length + 1);
    this.#report(`${name}@${from}`, reason, to - from);
    const file: DiskFile = await this.#disk.open(segment.path, "read");
    try {
      const bytes = Buffer.alloc(Math.min(to - from, KEEP_BYTES));
      await file.read(bytes, from).catch(() => 0);
      await this.#damage.keep(this.#keepName(`${name}@${from}`), bytes);
    } finally {
      await file.close();
    }
  }

  #keepName(name: string): string {
    return `${this.#place.topic}-${this.#place.partition}-${name}`;
  }
  #report(where: string, reason: string, bytes: number): void {
    const { topic, partition } = this.#place;
    this.#damage.report({ topic, partition, where: `${topic}/${partition}/${where}`, reason, bytes });
  }
}
