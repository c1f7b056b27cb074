/** Makes backups of one data directory: one at a time, by hand or by schedule, and remembers how they went. Knows no cipher and no HTTP. */
import { join } from "node:path";
import { type Keeping, type Manifest, prune, Repository, type RepositoryKeys, writeBackup } from "@vedette/backup";
import { type Clock, defineCounter, defineGauge, inTurn, systemClock, UnavailableError } from "@vedette/kit";
import type { BackupReport, BackupStatus, DrillReport, Micros } from "@vedette/model";
import type { Store } from "@vedette/store";
import { captureDirectory, type MirrorLog } from "./capture.ts";
import { drill } from "./drill.ts";

export interface BackupsOptions {
  /** The data directory. */
  readonly directory: string;
  readonly store: Store;
  readonly keys: RepositoryKeys;
  /** The installation's own key of backups. */
  readonly secret: () => Promise<Uint8Array>;
  readonly version: string;
  readonly schedule?: BackupSchedule | undefined;
  /** Where the log is not in the data directory. */
  readonly mirror?: MirrorLog | undefined;
  /** What lies where no backup of ours reaches, and what keeps it. */
  readonly elsewhere?: string | undefined;
  /** Somebody is to be told that backups fail or are overdue, or, with no message, that they are well again. */
  readonly onTrouble?: (what: "backup" | "drill", since: Micros, message: string | undefined) => void;
  readonly clock?: Clock;
}
export interface BackupSchedule {
  readonly to: string;
  readonly every_min: number;
  readonly keep: Keeping;
  readonly bytesPerSecond: number;
  /** 0 for never. */
  readonly drill_every_days: number;
}
export interface BackupAsk {
  readonly to: string;
  readonly keep: Keeping;
  readonly bytesPerSecond?: number | undefined;
  readonly onProgress?: (bytes: number, file: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const minute: Micros = 60_000_000;
const day: Micros = 86_400_000_000;
/** How often the schedule looks at the clock at least. */
const look_ms = 5_000;
const leastSleep_ms = 100;
/** One that failed is tried again; two that did are worth a word. A machine that is busy for a minute is not. */
const overdueAfter = 3;
const overdueLeast: Micros = 3 * 60_000_000;
/** Objects that no backup needs are looked for at most so often: it reads every manifest. */
const sweepEvery: Micros = 3_600_000_000;
const memory = "backup";
const base = "backup.base";

const made = defineCounter("backups_total", "Backups that were tried, by how they ended.", ["outcome"]);
const grown = defineCounter("backup_stored_bytes_total", "Bytes that folders of backups grew by.");

const newest = defineGauge("backup_last_success_timestamp_seconds", "When the newest backup was taken; 0 for never.");
const late = defineGauge("backup_overdue", "1 when the newest backup is older than the schedule allows.");
const tried = defineGauge(
  "restore_drill_last_success_timestamp_seconds",
  "When a backup was last shown to restore; 0 when the newest trial failed or there was none.",
);

/** What outlives the process. */
type Memory = Pick<BackupStatus, "last" | "failure" | "drill">;

export class Backups {
  readonly #options: BackupsOptions;
  readonly #clock: Clock;
  readonly #oneByOne = inTurn();
  #memory: Memory = {};
  #running = 0;
  /** When it began to be watched: what was never made is not overdue at once. */
  readonly #since: Micros;
  #swept: Micros | undefined;
  readonly #told = new Map<"backup" | "drill", Micros>();

  private constructor(options: BackupsOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#since = clock.now();
  }

  static async open(options: BackupsOptions): Promise<Backups> {
    const backups = new Backups(options, options.clock ?? systemClock);
    await backups.refresh();
    if (options.schedule) backups.#show();
    return backups;
  }

  /** Another process of the installation may have made some. */
  async refresh(): Promise<void> {
    const text = await this.#options.store.settings.get(memory);
    if (this.#running === 0 && text !== undefined) this.#memory = JSON.parse(text) as Memory;
  }

  #show(): void {
    newest.readBy((set) => set((this.#memory.last?.taken ?? 0) / 1e6));
    late.readBy((set) => set(this.#overdueSince() === undefined ? 0 : 1));
    tried.readBy((set) => set(this.#memory.drill?.ok ? this.#memory.drill.finished / 1e6 : 0));
  }

  status(): BackupStatus {
    const { schedule } = this.#options;
    return {
      ...this.#memory,
      ...(schedule && { schedule: { to: schedule.to, every_min: schedule.every_min, drill_every_days: schedule.drill_every_days } }),
      running: this.#running > 0,
      overdue: this.#overdueSince() !== undefined,
    };
  }

  #overdueSince(): Micros | undefined {
    const { schedule } = this.#options;
    if (schedule === undefined) return undefined;
    const due = (this.#memory.last?.taken ?? this.#since) + Math.max(overdueLeast, overdueAfter * schedule.every_min * minute);
    return this.#clock.now() > due ? due : undefined;
  }

  /** @throws VedetteError: it is remembered too */
  run(ask: BackupAsk): Promise<BackupReport> {
    this.#running++;
    return this.#oneByOne(async () => {
      try {
        const report = await this.#run(ask);
        const { failure: _, ...before } = this.#memory;
        made.add(1, "success");
        grown.add(report.stored);
        await this.#remember({ ...before, last: report });
        return report;
      } catch (e) {
        made.add(1, "failure");
        if (!ask.signal?.aborted)
          await this.#remember({ ...this.#memory, failure: { at: this.#clock.now(), message: (e as Error).message } });
        throw e;
      } finally {
        this.#running--;
      }
    });
  }

  async #run({ to, keep, bytesPerSecond, onProgress, signal }: BackupAsk): Promise<BackupReport> {
    const { directory, store, keys, secret, version, mirror, elsewhere } = this.#options;
    const repository = await Repository.openToWrite(to, keys, await secret());
    const lock = repository.lock();
    try {
      const captured = await captureDirectory(directory, store, this.#clock, mirror);
      const known = await this.#base(repository);
      const { manifest, read, stored } = await writeBackup(repository, captured, {
        version,
        base: known,
        bytesPerSecond,
        clock: this.#clock,
        onProgress: (bytes, file) => {
          lock.touch();
          onProgress?.(bytes, file);
        },
        signal,
      }).finally(() => captured.release());
      await store.settings.set(base, manifest.id);
      const sweep = this.#swept === undefined || this.#clock.now() - this.#swept >= sweepEvery;
      const pruned = sweep ? await prune(repository, keep) : { backups: [], bytes: 0 };
      if (sweep) this.#swept = this.#clock.now();
      const { id, taken, finished, files } = manifest;
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      const removal = { removed: pruned.backups.length, freed: pruned.bytes };
      const told = elsewhere === undefined ? {} : { not_in_it: elsewhere };
      return { id, to, taken, finished, files: files.length, bytes, read, stored, ...removal, ...told };
    } finally {
      lock.release();
    }
  }

  /** What this directory's files were compared with last: kept in the state, it goes back in time with it. */
  async #base(repository: Repository): Promise<Manifest | undefined> {
    const id = await this.#options.store.settings.get(base);
    return id === undefined ? undefined : await repository.manifest(id).catch(() => undefined);
  }

  /** Restores the newest backup beside and looks at it. That it cannot be done is its result too. */
  drill(from: string, signal?: AbortSignal): Promise<DrillReport> {
    this.#running++;
    return this.#oneByOne(async () => {
      const begun = this.#clock.now();
      try {
        const report = await this.#drill(from, signal).catch((e: Error) => {
          signal?.throwIfAborted();
          return { backup: "", begun, finished: this.#clock.now(), ok: false, checks: [{ name: "backup", ok: false, detail: e.message }] };
        });
        await this.#remember({ ...this.#memory, drill: report });
        return report;
      } finally {
        this.#running--;
      }
    });
  }

  async #drill(from: string, signal: AbortSignal | undefined): Promise<DrillReport> {
    const { directory, keys } = this.#options;
    const repository = await Repository.open(from, keys);
    const damaged: string[] = [];
    const manifest = await repository.newest(undefined, (id, why) => damaged.push(`${id}: ${why}`));
    if (manifest === undefined) throw new UnavailableError("not_found", [`${from} has no backup that can be read`, ...damaged].join("; "));
    const report = await drill(repository, manifest, { directory: join(directory, "drill.tmp"), clock: this.#clock, signal });
    const checks = [...report.checks, ...damaged.map((detail) => ({ name: "manifest", ok: false, detail }))];
    return { ...report, checks, ok: report.ok && damaged.length === 0 };
  }

  async #remember(all: Memory): Promise<void> {
    this.#memory = all;
    await this.#options.store.settings.set(memory, JSON.stringify(all));
  }

  /** Follows the schedule until told to stop. */
  async follow(signal: AbortSignal): Promise<void> {
    const { schedule } = this.#options;
    if (schedule === undefined) return;
    const { to, keep, bytesPerSecond, every_min, drill_every_days } = schedule;
    await this.refresh();
    let under: Promise<unknown> | undefined;
    let begun: Micros = Number.NEGATIVE_INFINITY;
    const start = (work: () => Promise<unknown>) => {
      under = work()
        .catch(() => {})
        .finally(() => {
          under = undefined;
        });
    };
    while (!signal.aborted) {
      const now = this.#clock.now();
      const last = Math.max(this.#memory.last?.taken ?? Number.NEGATIVE_INFINITY, begun);
      const drilled = Math.max(
        this.#memory.drill?.finished ?? Number.NEGATIVE_INFINITY,
        this.#since - day * drill_every_days + every_min * minute,
      );
      if (under === undefined && now - last >= every_min * minute) {
        begun = now;
        start(() => this.run({ to, keep, bytesPerSecond, signal }));
      } else if (
        under === undefined &&
        drill_every_days > 0 &&
        now - drilled >= drill_every_days * day &&
        this.#memory.last !== undefined
      ) {
        start(() => this.drill(to, signal));
      }
      this.#tell(drill_every_days);
      const wait_ms = (last + every_min * minute - now) / 1_000;
      await this.#clock.sleep(Math.min(look_ms, Math.max(leastSleep_ms, wait_ms)), signal).catch(() => {});
    }
    await under;
  }

  #tell(drill_every_days: number): void {
    const since = this.#overdueSince();
    const { failure, drill: trial, last } = this.#memory;
    const missed = `no backup since ${last === undefined ? "the start" : last.id}${failure ? `: ${failure.message}` : ""}`;
    this.#report("backup", since, missed);
    const bad = trial !== undefined && !trial.ok ? trial.checks.find(({ ok }) => !ok) : undefined;
    const missing = drill_every_days > 0 && this.#clock.now() - (trial?.finished ?? this.#since) > 2 * drill_every_days * day;
    const since2 = bad ? trial!.finished : missing ? (trial?.finished ?? this.#since) + 2 * drill_every_days * day : undefined;
    this.#report(
      "drill",
      since2,
      bad ? `${trial!.backup}: ${bad.name}: ${bad.detail}` : "no restore was tried for twice as long as is asked for",
    );
  }

  #report(what: "backup" | "drill", since: Micros | undefined, message: string | undefined): void {
    const told = this.#told.get(what);
    if (since === told) return;
    if (told !== undefined) this.#options.onTrouble?.(what, told, undefined);
    this.#told.delete(what);
    if (since === undefined) return;
    this.#told.set(what, since);
    this.#options.onTrouble?.(what, since, message);
  }
}
