/** A disk in memory that records every operation and, for any moment, makes a disk as a crash could have left it. For tests. */
import type { Disk, DiskFile } from "../disk.ts";

/** What a crash decides: called with a number of choices, returns one of them. */
export type Choose = (choices: number) => number;

/** Bytes of a file that reach the medium together or not at all. */
const SECTOR_BYTES = 512;

interface Write {
  readonly kind: "write";
  readonly position: number;
  readonly bytes: Uint8Array;
}
interface Truncate {
  readonly kind: "truncate";
  readonly size: number;
}
/** A name given to an inode, or taken away. A rename is both at once, in one or two directories. */
interface NameChange {
  readonly set: readonly { readonly directory: string; readonly name: string; readonly inode: Inode | undefined }[];
}

class Inode {
  /** As every process sees it. */
  content: Content = new Content();
  /** As the medium certainly has it. */
  durable: Content = new Content();
  pending: (Write | Truncate)[] = [];

  apply(change: Write | Truncate): void {
    this.content.apply(change);
    this.pending.push(change);
  }
  sync(): void {
    for (const change of this.pending) this.durable.apply(change);
    this.pending = [];
  }
  /** As Linux does: after a failed fdatasync the pages count as clean, are still read, and never reach the medium. */
  failSync(): void {
    this.pending = [];
  }
}

/** A growable file image. */
class Content {
  bytes = new Uint8Array(0);
  size = 0;

  apply(change: Write | Truncate): void {
    if (change.kind === "truncate") {
      this.grow(change.size);
      if (change.size < this.size) this.bytes.fill(0, change.size, this.size);
      this.size = change.size;
      return;
    }
    this.grow(change.position + change.bytes.length);
    this.bytes.set(change.bytes, change.position);
    this.size = Math.max(this.size, change.position + change.bytes.length);
  }
  grow(size: number): void {
    if (size <= this.bytes.length) return;
    const wider = new Uint8Array(Math.max(size, this.bytes.length * 2));
    wider.set(this.bytes.subarray(0, this.size));
    this.bytes = wider;
  }
  copy(): Content {
    const copy = new Content();
    copy.bytes = this.bytes.slice(0, this.size);
    copy.size = this.size;
    return copy;
  }
}

/** A failure to answer the next operations with. */
export interface Fault {
  readonly on: "write" | "datasync" | "truncate" | "create" | "syncDirectory";
  readonly code: "ENOSPC" | "EIO";
  /** How many times. */
  times: number;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

export class CrashDisk implements Disk {
  /** Directory → name → inode; an inode of `undefined` is a directory. */
  readonly #directories = new Map<string, Map<string, Inode>>([["/", new Map()]]);
  readonly #durable = new Map<string, Map<string, Inode>>([["/", new Map()]]);
  #changes: NameChange[] = [];
  readonly faults: Fault[] = [];
  /** Bytes of content there is room for. */
  capacity = Number.POSITIVE_INFINITY;
  /** Called after every operation that changes what a crash would leave. */
  onChange: ((operation: string) => void) | undefined;

  #changed(operation: string): void {
    this.onChange?.(operation);
  }

  #fail(on: Fault["on"], path: string): void {
    const fault = this.faults.find((candidate) => candidate.on === on && candidate.times > 0);
    if (fault === undefined) return;
    fault.times--;
    throw systemError(fault.code, path);
  }

  #split(path: string): { names: Map<string, Inode>; directory: string; name: string } {
    const cut = path.lastIndexOf("/");
    const directory = path.slice(0, cut) || "/";
    const names = this.#directories.get(directory);
    if (names === undefined) throw systemError("ENOENT", path);
    return { names, directory, name: path.slice(cut + 1) };
  }

  #used(): number {
    let used = 0;
    for (const names of this.#directories.values()) for (const { content } of names.values()) used += content.size;
    return used;
  }

  async open(path: string, mode: "create" | "write" | "read"): Promise<DiskFile> {
    const { names, directory, name } = this.#split(path);
    let inode = names.get(name);
    if (mode === "create") {
      if (inode !== undefined) throw systemError("EEXIST", path);
      this.#fail("create", path);
      inode = new Inode();
      names.set(name, inode);
      this.#changes.push({ set: [{ directory, name, inode }] });
      this.#changed(`create ${path}`);
    }
    if (inode === undefined) throw systemError("ENOENT", path);
    return this.#file(path, inode);
  }

  #file(path: string, inode: Inode): DiskFile {
    let open = true;
    const check = () => {
      if (!open) throw systemError("EBADF", path);
    };
    return {
      write: async (bytes, position) => {
        check();
        try {
          this.#fail("write", path);
        } catch (cause) {
          inode.apply({ kind: "write", position, bytes: new Uint8Array(bytes.subarray(0, bytes.length >> 1)) });
          this.#changed(`write ${path} ${position} +${bytes.length >> 1}`);
          throw cause;
        }
        const room = this.capacity - this.#used() - Math.max(0, position - inode.content.size);
        const growth = Math.max(0, position + bytes.length - inode.content.size);
        const fitting = growth <= room ? bytes.length : Math.max(0, bytes.length - growth + Math.max(0, room));
        if (fitting > 0) inode.apply({ kind: "write", position, bytes: new Uint8Array(bytes.subarray(0, fitting)) });
        this.#changed(`write ${path} ${position} +${fitting}`);
        if (fitting < bytes.length) throw systemError("ENOSPC", path);
      },
      read: async (into, position) => {
        check();
        const { bytes, size } = inode.content;
        const count = Math.max(0, Math.min(into.length, size - position));
        into.set(bytes.subarray(position, position + count));
        return count;
      },
      datasync: async () => {
        check();
        try {
          this.#fail("datasync", path);
        } catch (cause) {
          inode.failSync();
          throw cause;
        }
        inode.sync();
        this.#changed(`datasync ${path}`);
      },
      truncate: async (size) => {
        check();
        this.#fail("truncate", path);
        inode.apply({ kind: "truncate", size });
        this.#changed(`truncate ${path} ${size}`);
      },
      close: async () => {
        check();
        open = false;
      },
    };
  }

  async list(path: string): Promise<readonly string[]> {
    const below = [...this.#directories.keys()].filter((other) => other !== "/" && parent(other) === path);
    return [...(this.#directories.get(path)?.keys() ?? []), ...below.map((other) => other.slice(other.lastIndexOf("/") + 1))];
  }
  async stat(path: string): Promise<{ readonly bytes: number; readonly directory: boolean } | undefined> {
    if (this.#directories.has(path)) return { bytes: 0, directory: true };
    const inode = this.#directories.get(parent(path))?.get(path.slice(path.lastIndexOf("/") + 1));
    return inode && { bytes: inode.content.size, directory: false };
  }
  /** Directories themselves are durable at once: their loss would only lose names that are lost anyway. */
  async mkdir(path: string): Promise<void> {
    if (this.#directories.has(path)) return;
    if (!this.#directories.has(parent(path))) throw systemError("ENOENT", path);
    this.#directories.set(path, new Map());
    this.#durable.set(path, new Map());
    this.#changed(`mkdir ${path}`);
  }
  async rename(from: string, to: string): Promise<void> {
    const source = this.#split(from);
    const target = this.#split(to);
    const inode = source.names.get(source.name);
    if (inode === undefined) throw systemError("ENOENT", from);
    source.names.delete(source.name);
    target.names.set(target.name, inode);
    const { directory, name } = source;
    this.#changes.push({
      set: [
        { directory: target.directory, name: target.name, inode },
        { directory, name, inode: undefined },
      ],
    });
    this.#changed(`rename ${from} ${to}`);
  }
  async unlink(path: string): Promise<void> {
    const { names, directory, name } = this.#split(path);
    if (!names.delete(name)) throw systemError("ENOENT", path);
    this.#changes.push({ set: [{ directory, name, inode: undefined }] });
    this.#changed(`unlink ${path}`);
  }
  async syncDirectory(path: string): Promise<void> {
    this.#fail("syncDirectory", path);
    const synced = this.#changes.filter(({ set }) => set.some(({ directory }) => directory === path));
    for (const change of synced) settle(this.#durable, change);
    this.#changes = this.#changes.filter((change) => !synced.includes(change));
    this.#changed(`syncDirectory ${path}`);
  }

  /** A disk as it could be after a crash now: names and content that were not synced survive as `choose` says. */
  crash(choose: Choose): CrashDisk {
    const after = new CrashDisk();
    const names = new Map([...this.#durable].map(([directory, entries]) => [directory, new Map(entries)]));
    for (const change of this.#changes) if (choose(2) === 1) settle(names, change);
    const survivors = new Map<Inode, Inode>();
    for (const [directory, entries] of names) {
      const made = new Map<string, Inode>();
      for (const [name, inode] of entries) {
        let survivor = survivors.get(inode);
        if (survivor === undefined) {
          survivor = survive(inode, choose);
          survivors.set(inode, survivor);
        }
        made.set(name, survivor);
      }
      after.#directories.set(directory, made);
      after.#durable.set(directory, new Map(made));
    }
    return after;
  }

  /** A disk as it is when only the process died: everything is there, and what was not synced may still be lost. */
  killed(): CrashDisk {
    const after = new CrashDisk();
    const twins = new Map<Inode, Inode>();
    const twin = (inode: Inode): Inode => {
      let found = twins.get(inode);
      if (found === undefined) {
        found = new Inode();
        found.content = inode.content.copy();
        found.durable = inode.durable.copy();
        found.pending = [...inode.pending];
        twins.set(inode, found);
      }
      return found;
    };
    const twinNames = (names: Map<string, Inode>) => new Map([...names].map(([name, inode]) => [name, twin(inode)]));
    for (const [directory, names] of this.#directories) after.#directories.set(directory, twinNames(names));
    for (const [directory, names] of this.#durable) after.#durable.set(directory, twinNames(names));
    after.#changes = this.#changes.map(({ set }) => ({ set: set.map((name) => ({ ...name, inode: name.inode && twin(name.inode) })) }));
    return after;
  }

  /** For tests that damage files: the live bytes of one, to be changed in place. */
  bytesOf(path: string): Uint8Array {
    const { names, name } = this.#split(path);
    const inode = names.get(name);
    if (inode === undefined) throw systemError("ENOENT", path);
    return inode.content.bytes.subarray(0, inode.content.size);
  }
  /** Every file there is, sorted. */
  files(): string[] {
    return [...this.#directories].flatMap(([directory, names]) => [...names.keys()].map((name) => `${directory}/${name}`)).sort();
  }
  /** An independent copy with everything durable, as after a clean stop. */
  copy(): CrashDisk {
    return this.crash((choices) => choices - 1);
  }
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function settle(into: Map<string, Map<string, Inode>>, { set }: NameChange): void {
  for (const { directory, name, inode } of set) {
    if (inode === undefined) into.get(directory)?.delete(name);
    else into.get(directory)?.set(name, inode);
  }
}

/** Each un-synced change survives wholly, not at all, or sector by sector; a lost write may still have extended the file. */
function survive(inode: Inode, choose: Choose): Inode {
  const content = inode.durable.copy();
  for (const change of inode.pending) {
    const fate = choose(4);
    if (fate === 3) content.apply(change);
    else if (fate > 0 && change.kind === "write") tear(content, change, fate === 2, choose);
  }
  const survivor = new Inode();
  survivor.content = content;
  survivor.durable = content.copy();
  return survivor;
}

function tear(content: Content, { position, bytes }: Write, prefix: boolean, choose: Choose): void {
  if (prefix) {
    content.apply({ kind: "write", position, bytes: bytes.subarray(0, choose(bytes.length + 1)) });
    return;
  }
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
    if (choose(2) === 1) content.apply({ kind: "write", position: position + at, bytes: bytes.subarray(at, end) });
    at = end;
  }
}
