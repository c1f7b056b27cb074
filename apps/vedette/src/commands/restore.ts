/** `vedette restore`: puts a backup back into an empty data directory: first what a server needs, then event files while it may run. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Damage, hasSharedEvents, isBackupId, type Manifest, type Repository, Restore } from "@vedette/backup";
import { BadInputError, ConfigError, diskFiles, jsonText, makeFolder, takeLock, thisProcess } from "@vedette/kit";
import { trailCheck } from "@vedette/pipeline";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { bytesText, safe } from "../output.ts";
import { Progress } from "../progress.ts";
import { ontoServers } from "../restore_servers.ts";
import { configuredShared } from "../shared_events.ts";
import { openFolder } from "./backup.ts";

interface Options {
  readonly from: string;
  readonly at?: string;
  readonly dataDir: string;
  readonly events: boolean;
  readonly keyFile?: string;
  readonly config?: string;
  readonly json?: boolean;
}

const say = (text: string): void => void process.stderr.write(`${safe(text)}\n`);
/** Held by whoever restores; the first is a server's too, which may come once all but events is there. */
const locks = { first: "LOCK", rest: "restore.lock" } as const;

export async function restore(options: Options): Promise<void> {
  const { config } = loadConfig(options.config, process.env);
  const directory = resolve(options.dataDir);
  const from = resolve(options.from);
  const begun = performance.now();
  const state = Restore.check(directory, Object.values(locks));
  const repository = await openFolder(from, config, directory, options.keyFile);
  const manifest = await chosen(repository, state?.backup ?? options.at);
  const shared = sharedFor(config, manifest, state !== undefined);
  const work = new Restore(repository, manifest, directory, state?.events ?? options.events, shared);
  makeFolder(directory);
  const damage: Damage[] = [];
  let trail = { ok: true, detail: "it was proved before, and a server may have added to it" };
  const elapsed_s = () => (performance.now() - begun) / 1_000;
  let first_s: number | undefined;
  if (state?.phase !== "events") {
    damage.push(...(await locked(directory, "first", () => first(work, config, directory, options.keyFile))));
    await keepKey(directory, config, options.keyFile);
    first_s = elapsed_s();
    trail = await trailCheck(directory, manifest);
    if (!options.json) tellFirst(manifest, directory, first_s, options.events);
  }
  damage.push(...(await locked(directory, "rest", () => shown(manifest, (at) => work.rest({ onProgress: at })))));
  const total_s = elapsed_s();
  if (damage.length > 0 || !trail.ok) process.exitCode = 1;
  const { id, taken, about } = manifest;
  const time = new Date(taken / 1_000).toISOString();
  if (options.json)
    return void process.stdout.write(
      `${jsonText({ backup: id, taken: time, directory, ready_s: first_s, total_s, trail, alerts: about.alerts, events: about.events, damage })}\n`,
    );
  process.stdout.write(`${trail.ok ? "The audit trail holds" : "BAD: the audit trail"}: ${safe(trail.detail)}.\n`);
  for (const { path, consequence, message } of damage)
    process.stdout.write(`DAMAGED ${safe(path)} (${consequence === "zeros" ? "the stretch is zeros" : "left out"}): ${safe(message)}\n`);
  process.stdout.write(
    `Backup ${id} is back in ${safe(directory)} after ${total_s.toFixed(1)} s${damage.length > 0 ? ", but for what is named above" : ""}.\n`,
  );
}

/**
 * Where events go that several processes share; undefined where the backup has none.
 * @param begun whether this restore was begun before: then the folder has some of them
 */
function sharedFor(config: Config, manifest: Manifest, begun: boolean): string | undefined {
  if (!hasSharedEvents(manifest)) return undefined;
  const shared = configuredShared(config);
  if (shared === undefined)
    throw new ConfigError(
      "config_invalid",
      `backup ${manifest.id} has events of a shared folder: expected events.shared in the configuration of the restore (--config), an empty folder`,
    );
  const [first] = begun || !existsSync(shared) ? [] : readdirSync(shared);
  if (first !== undefined)
    throw new BadInputError("conflict", `events.shared: ${shared} is not empty (${first}): a restore writes over nothing; name another`);
  return shared;
}

/** By its id, or the newest at or before a time. */
async function chosen(repository: Repository, at: string | undefined): Promise<Manifest> {
  if (at !== undefined && isBackupId(at)) return await repository.manifest(at);
  const time = at === undefined ? undefined : Date.parse(at);
  if (Number.isNaN(time))
    throw new ConfigError("config_invalid", `--at ${at}: expected a backup's id, or a time such as 2026-11-21T08:00:00Z`);
  const found = await repository.newest(time === undefined ? undefined : time * 1_000, (id, why) =>
    say(`${id} cannot be read and is passed over: ${why}`),
  );
  if (found === undefined)
    throw new ConfigError(
      "config_invalid",
      `${repository.directory} has no backup${at === undefined ? "" : ` of ${at} or before`} that can be read`,
    );
  return found;
}

async function locked<T>(directory: string, phase: keyof typeof locks, work: () => Promise<T>): Promise<T> {
  const file = join(directory, locks[phase]);
  const holder = takeLock(file, thisProcess());
  if (holder) throw new ConfigError("data_dir_locked", `${file} is held by process ${holder.pid}`);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Files, and what of them goes on to servers; their keys are needed for that. */
async function first(work: Restore, config: Config, directory: string, keyFile: string | undefined): Promise<readonly Damage[]> {
  const onto = new Progress(1);
  const servers = ontoServers(config, directory, work.manifest, (done, total, what) =>
    onto.at(total === 0 ? 1 : done / total, `${done} of ${total}: ${what}`),
  );
  try {
    return await shown(work.manifest, (at) =>
      work.first(
        { onProgress: at },
        servers &&
          (async () => {
            await keepKey(directory, config, keyFile);
            await servers();
          }),
      ),
    );
  } finally {
    onto.clear();
  }
}

async function shown<T>(manifest: Manifest, work: (at: (bytes: number, file: string) => void) => Promise<T>): Promise<T> {
  const progress = new Progress(manifest.files.reduce((sum, { bytes }) => sum + bytes, 0));
  try {
    return await work((bytes, file) => progress.at(bytes, `${bytesText(bytes)}  ${file}`));
  } finally {
    progress.clear();
  }
}

/** A key that was given for the restore alone opens what is sealed there too: without it nothing would start. */
async function keepKey(directory: string, { auth }: Config, keyFile: string | undefined): Promise<void> {
  if (keyFile === undefined || auth.secret_key !== undefined || auth.secret_key_file !== undefined || auth.key_command.length > 0) return;
  const path = join(directory, "secret.key");
  if ((await diskFiles.read(path)) === undefined) await diskFiles.replace(path, readFileSync(resolve(keyFile)));
}

function tellFirst({ taken, about }: Manifest, directory: string, seconds: number, events: boolean): void {
  say(`State, log and settings are back after ${seconds.toFixed(1)} s: vedette up --data-dir ${directory} may start now.`);
  say(
    `It stands as of ${new Date(taken / 1_000).toISOString()} (raw to batch ${about.log["raw/0"] ?? 0}). What was accepted later is not in it: files and Kafka are read on from where they were then, what senders had pushed is not sent again, and what people did since is to be done again.`,
  );
  if (events && about.events > 0) say(`${about.events} sealed events follow; until they are there questions say what they lack.`);
}
