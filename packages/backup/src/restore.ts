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

export class Restore {
  readonly manifest: Manifest;
  readonly #repository: Repository;
  readonly #directory: string;
  readonly #events: boolean;

  /** @param events whether event files are to come */
  constructor(repository: Repository, manifest: Manifest, directory: string, events: boolean) {
    this.#repository = repository;
    this.manifest = manifest;
    this.#directory = directory;
    this.#events = events;
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
    const damage = await restoreFiles(this.#repository.objects, ordered, this.#directory, options);
    await this.#await(this.#events ? this.manifest.files.filter(isEvents) : []);
    return damage;
  }

  /** Event files, newest first: what is asked for most is there soonest. A server may run meanwhile. */
  async rest(options: ReadOptions = {}): Promise<readonly Damage[]> {
    const files = this.#events ? this.manifest.files.filter(isEvents).toReversed() : [];
    const damage = await restoreFiles(this.#repository.objects, files, this.#directory, options);
    await this.#await([]);
    await diskFiles.remove(join(this.#directory, stateFile));
    return damage;
  }

  async #await(files: readonly BackupFile[]): Promise<void> {
    const path = join(this.#directory, awaitedFile);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (files.length > 0) await diskFiles.replace(path, Buffer.from(files.map((file) => `${nameOf(file)}\n`).join("")));
    else await diskFiles.remove(path);
  }
}
