/** How far the restore of a data directory has come, in a file of it: what a server may trust, and where a killed restore goes on. Knows no content. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BadInputError, ConfigError, diskFiles, z } from "@vedette/kit";
import type { BackupFile, Manifest } from "./manifest.ts";
import { type Damage, type ReadOptions, restoreFiles } from "./read.ts";
import type { Repository } from "./repository.ts";

const stateFile = "restore.json";
/** Names of event files that are still to come, one a line; read by the store. */
const awaitedFile = join("events", "awaited");

const schema = z.object({
  format: z.literal(1),
  from: z.string(),
  backup: z.string(),
  /** `first`: nothing in the directory may be used yet; `servers`: it goes on to servers; `events`: all but event files is there. */
  phase: z.enum(["first", "servers", "events"]),
  events: z.boolean(),
});
export type RestoreState = Omit<z.output<typeof schema>, "format">;

/** What a restore of this directory left, if one is under way or was cut short. */
export function restoreState(directory: string): RestoreState | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, stateFile), "utf8");
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw e;
  }
  const { format: _, ...state } = schema.parse(JSON.parse(text));
  return state;
}

/** What nobody may start on. @throws ConfigError `restore_unfinished` */
export function demandRestored(directory: string): void {
  const state = restoreState(directory);
  if (state !== undefined && state.phase !== "events")
    throw new ConfigError(
      "restore_unfinished",
      `${directory} is not restored yet: run vedette restore --from ${state.from} --at ${state.backup} --data-dir ${directory} again, it goes on where it was`,
    );
}

const write = (directory: string, state: RestoreState): Promise<void> =>
  diskFiles.replace(join(directory, stateFile), Buffer.from(`${JSON.stringify({ format: 1, ...state })}\n`));

const isEvents = ({ part }: BackupFile): boolean => part === "events";
const nameOf = ({ path }: BackupFile): string => path.slice(path.lastIndexOf("/") + 1);

/** Where events are that several processes share, in a backup and in a directory that nothing else is said of. */
const sharedPrefix = "events/shared/";
/** Files of the shared folder: names of those still to come, and of those that never will, one a line. */
const sharedLists = { awaited: "awaited", lost: "lost" } as const;
const isShared = ({ path }: BackupFile): boolean => path.startsWith(sharedPrefix);
const below = (file: BackupFile): BackupFile => ({ ...file, path: file.path.slice(sharedPrefix.length) });
/** As the store names it: partition and name. */
const lineOf = (file: BackupFile): string => below(file).path.replace("/sealed/", "/");

/** Whether a backup's events are of a folder that several processes share. */
export const hasSharedEvents = ({ files }: Manifest): boolean => files.some(isShared);

export class Restore {
  readonly manifest: Manifest;
  readonly #repository: Repository;
  readonly #directory: string;
  readonly #events: boolean;
  readonly #shared: string;

  /**
   * @param events whether event files are to come
   * @param shared the folder for events that several processes share; one of the directory without it
   */
  constructor(repository: Repository, manifest: Manifest, directory: string, events: boolean, shared?: string) {
    this.#repository = repository;
    this.manifest = manifest;
    this.#directory = directory;
    this.#events = events;
    this.#shared = shared ?? join(directory, sharedPrefix);
  }

  /** @throws BadInputError `conflict` unless the directory is empty, or holds this very restore half done */
  static check(directory: string, own: readonly string[]): RestoreState | undefined {
    const state = restoreState(directory);
    if (state !== undefined) return state;
    let names: readonly string[] = [];
    try {
      names = readdirSync(directory).filter((name) => !own.includes(name));
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== "ENOENT") throw e;
    }
    if (names.length > 0)
      throw new BadInputError(
        "conflict",
        `${directory} is not empty (${names[0]}): a restore writes over nothing; name another --data-dir`,
      );
    return undefined;
  }

  /**
   * Everything but event files. A server may start when it resolves.
   * @param onto takes what is there on to servers; called again where it was cut short
   */
  async first(options: ReadOptions = {}, onto?: () => Promise<void>): Promise<readonly Damage[]> {
    const state = { from: this.#repository.directory, backup: this.manifest.id, events: this.#events };
    const back = restoreState(this.#directory)?.phase === "servers";
    if (!back) await write(this.#directory, { ...state, phase: "first" });
    const damage = back ? [] : await this.#files(options);
    if (onto) {
      await write(this.#directory, { ...state, phase: "servers" });
      await onto();
    }
    await write(this.#directory, { ...state, phase: "events" });
    return damage;
  }

  async #files(options: ReadOptions): Promise<readonly Damage[]> {
    const files = this.manifest.files.filter((file) => !isEvents(file));
    // what must be whole comes first: if it is not, nothing else is worth the time
    const ordered = [...files.filter(({ part }) => part === "state"), ...files.filter(({ part }) => part !== "state")];
    const damage = await this.#put(ordered, options);
    const events = this.manifest.files.filter(isEvents);
    await this.#await(this.#events ? events : [], this.#events ? [] : events);
    return damage;
  }

  /** Event files, newest first: what is asked for most is there soonest. A server may run meanwhile. */
  async rest(options: ReadOptions = {}): Promise<readonly Damage[]> {
    const files = this.#events ? this.manifest.files.filter(isEvents).toReversed() : [];
    const damage = await this.#put(files, options);
    const lost = new Set(damage.map(({ path }) => path));
    await this.#await(
      [],
      this.manifest.files.filter((file) => isEvents(file) && (!this.#events || lost.has(file.path))),
    );
    await diskFiles.remove(join(this.#directory, stateFile));
    return damage;
  }

  async #put(files: readonly BackupFile[], options: ReadOptions): Promise<readonly Damage[]> {
    const { objects } = this.#repository;
    const own = await restoreFiles(
      objects,
      files.filter((file) => !isShared(file)),
      this.#directory,
      options,
    );
    const shared = files.filter(isShared).map(below);
    if (shared.length === 0) return own;
    const others = await restoreFiles(objects, shared, this.#shared, options);
    return [...own, ...others.map((one) => ({ ...one, path: `${sharedPrefix}${one.path}` }))];
  }

  /** @param lost those that never come */
  async #await(files: readonly BackupFile[], lost: readonly BackupFile[]): Promise<void> {
    await list(join(this.#directory, awaitedFile), files.filter((file) => !isShared(file)).map(nameOf));
    if (!hasSharedEvents(this.manifest)) return;
    // lost ones first: what is in neither list is there
    await list(join(this.#shared, sharedLists.lost), lost.filter(isShared).map(lineOf));
    await list(join(this.#shared, sharedLists.awaited), files.filter(isShared).map(lineOf));
  }
}

async function list(path: string, names: readonly string[]): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (names.length > 0) await diskFiles.replace(path, Buffer.from(names.map((name) => `${name}\n`).join("")));
  else await diskFiles.remove(path);
}
