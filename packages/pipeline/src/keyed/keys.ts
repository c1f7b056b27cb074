/**
 * The keys in memory, and what of them the checkpoint store is to be told: changed ones are written, and the least recently observed let go where
 * there are too many. Knows no detector's meaning.
 */
import { shardOf } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { Due, dueAt } from "./due.ts";
import type { Key } from "./key.ts";

/** A row of the checkpoint. */
export interface KeyRow {
  readonly shard: number;
  readonly key: string;
  /** Undefined: forgotten. */
  readonly value: string | undefined;
  /** The watermark at which something is to be done about the key. */
  readonly due?: Micros;
}

/** What is kept in memory; what exceeds it is in the checkpoint store alone and loaded when it is needed. */
export interface KeyedBounds {
  readonly keys: number;
  /** Of keys as they are in the checkpoint; in memory they take some three times as much. */
  readonly bytes: number;
}
/** Of the 512 MB for the whole program: so many keys with one open observation each take some 100 MB. */
export const keysInMemory = 50_000;
export const bytesInMemory = 32 * 1_048_576;
/** What goes when memory is full: rather a tenth at once than one key at a time. */
const keepShare = 0.9;

export class Keys {
  readonly #bounds: KeyedBounds;
  /** Least recently observed first. */
  readonly #keys = new Map<string, Key>();
  readonly #due = new Due();
  readonly #changed = new Set<string>();
  #bytes = 0;
  /** Keys that only the checkpoint store holds. */
  #spilled = 0;

  constructor(bounds: Partial<KeyedBounds>) {
    this.#bounds = { keys: keysInMemory, bytes: bytesInMemory, ...bounds };
  }

  get size(): number {
    return this.#keys.size;
  }
  get spilled(): number {
    return this.#spilled;
  }
  /** True when memory holds more than it should until the next checkpoint. */
  get crowded(): boolean {
    return this.#keys.size > this.#bounds.keys * 1.5;
  }
  values(): Iterable<Key> {
    return this.#keys.values();
  }
  get(id: string): Key | undefined {
    return this.#keys.get(id);
  }
  set(id: string, key: Key): void {
    this.#keys.set(id, key);
  }

  /** The most recently observed are last to leave memory. */
  observed(id: string, key: Key): void {
    if (this.#keys.size * 2 <= this.#bounds.keys) return;
    this.#keys.delete(id);
    this.#keys.set(id, key);
  }

  /** To be written by the next checkpoint. */
  change(id: string, key?: Key): void {
    if (key?.changed) return;
    if (key) key.changed = true;
    this.#changed.add(id);
  }

  schedule(id: string, key: Key, time: Micros): void {
    key.due = this.#due.set(id, time, key.due);
  }
  /** Takes out all that are due by `mark`, in the order of their names. */
  takeDue(mark: Micros): readonly Key[] {
    return this.#due
      .take(mark)
      .map((id) => this.#keys.get(id))
      .filter((key) => key !== undefined);
  }

  forget(id: string, key: Key): void {
    this.#due.delete(id, key.due);
    this.#keys.delete(id);
    this.#bytes -= key.bytes;
  }

  /** Takes all out of memory; every one is to be written anew. */
  clear(): readonly (readonly [id: string, key: Key])[] {
    const all = [...this.#keys];
    for (const [id, key] of all) {
      this.forget(id, key);
      this.#changed.add(id);
    }
    return all;
  }

  /** Keys changed since the last call, serialised. */
  drain(): KeyRow[] {
    const rows: KeyRow[] = [];
    for (const id of this.#changed) {
      const key = this.#keys.get(id);
      if (!key) {
        rows.push({ shard: shardOfId(id), key: id, value: undefined });
        continue;
      }
      key.changed = false;
      key.shard ??= shardOfId(id);
      const value = JSON.stringify(key.saved());
      this.#bytes += value.length - key.bytes;
      key.bytes = value.length;
      rows.push({ shard: key.shard, key: id, value, due: dueAt(key.due) });
    }
    this.#changed.clear();
    return rows;
  }

  /** Once everything drained is durable: lets go of the least recently observed beyond the bounds but for those to `keep`. @returns who went */
  spill(keep: (key: Key) => boolean): readonly Key[] {
    if (this.#keys.size <= this.#bounds.keys && this.#bytes <= this.#bounds.bytes) return [];
    const [keys, bytes] = [this.#bounds.keys * keepShare, this.#bounds.bytes * keepShare];
    const gone: Key[] = [];
    for (const [id, key] of this.#keys) {
      if (this.#keys.size <= keys && this.#bytes <= bytes) break;
      if (this.#changed.has(id) || keep(key)) continue;
      this.forget(id, key);
      this.#spilled++;
      gone.push(key);
    }
    return gone;
  }

  /** Whether it is known here: in memory, or forgotten since the last checkpoint. */
  knows(id: string): boolean {
    return this.#keys.has(id) || this.#changed.has(id);
  }

  /** Of a key that comes from the checkpoint. @param length of its row */
  restored(key: Key, length: number): void {
    key.bytes = length;
    this.#bytes += length;
  }
  /** One that only the checkpoint store held has come back. */
  unspill(): void {
    this.#spilled = Math.max(0, this.#spilled - 1);
  }
  /** @param spilled left in the checkpoint store at a start */
  resume(spilled: number): void {
    this.#spilled = spilled;
  }
}

/** @param id detector, NUL, key */
export const shardOfId = (id: string): number => shardOf(id.slice(0, id.indexOf("\0")), id.slice(id.indexOf("\0") + 1));
