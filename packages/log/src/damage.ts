/** What was found damaged, and the place damaged bytes are kept. Decides nothing about repair. */
import { type Disk, errorCode } from "./disk.ts";
import type { Topic } from "./log.ts";

export interface DamageEntry {
  readonly topic: Topic;
  readonly partition: number;
  readonly where: string;
  readonly reason: string;
  readonly bytes: number;
}

/** Entries kept in memory; beyond, only the newest are forgotten: the first ones name the cause. */
const LEDGER_LIMIT = 1_000;
/** Bytes kept in the folder: enough to examine, too little to fill a disk that is dying. */
const QUARANTINE_LIMIT = 64 << 20;
/** Of one damaged place at most this much is kept aside. */
export const KEEP_BYTES = 16 << 20;

export class DamageLedger {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #entries = new Map<string, DamageEntry>();
  #room = QUARANTINE_LIMIT;
  #kept: Set<string> | undefined;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  entries(): readonly DamageEntry[] {
    return [...this.#entries.values()];
  }

  /** True the first time this place is reported. */
  report(entry: DamageEntry): boolean {
    if (this.#entries.has(entry.where)) return false;
    if (this.#entries.size < LEDGER_LIMIT) this.#entries.set(entry.where, entry);
    return true;
  }

  /** Copies damaged bytes aside, durably, under a name made of where they were. False if the disk would not take them. */
  async keep(name: string, bytes: Uint8Array): Promise<boolean> {
    const path = `${this.#directory}/${name}`;
    try {
      const kept = await this.#inventory();
      if (kept.has(name)) return true;
      if (bytes.length > this.#room) return false;
      await this.#disk.mkdir(this.#directory);
      const file = await this.#disk.open(path, "create");
      try {
        await file.write(bytes, 0);
        await file.datasync();
      } finally {
        await file.close();
      }
      await this.#disk.syncDirectory(this.#directory);
      kept.add(name);
      this.#room -= bytes.length;
      return true;
    } catch (cause) {
      if (errorCode(cause) === undefined) throw cause;
      await this.#disk.unlink(path).catch(() => undefined);
      return false;
    }
  }

  /** Takes a whole file out of a partition, durably: an empty one goes, any other moves aside. */
  async remove(path: string, directory: string, name: string, bytes: number): Promise<void> {
    if (bytes === 0) await this.#disk.unlink(path);
    else {
      await this.#disk.mkdir(this.#directory);
      await this.#disk.rename(path, `${this.#directory}/${name}`);
      await this.#disk.syncDirectory(this.#directory);
    }
    await this.#disk.syncDirectory(directory);
  }

  async #inventory(): Promise<Set<string>> {
    if (this.#kept !== undefined) return this.#kept;
    const names = await this.#disk.list(this.#directory);
    for (const name of names) this.#room -= (await this.#disk.stat(`${this.#directory}/${name}`))?.bytes ?? 0;
    this.#kept = new Set(names);
    return this.#kept;
  }
}
