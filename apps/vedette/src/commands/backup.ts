/** `vedette backup …`: makes, lists, proves and tries backups; of a running server it asks, a stopped installation it opens itself. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Damage, type Manifest, Repository, verifyBackup } from "@vedette/backup";
import { ConfigError, jsonText, makeFolder, systemClock, UnavailableError } from "@vedette/kit";
import { openLog } from "@vedette/log";
import { type Backups, holderOf, openDataDirectory } from "@vedette/pipeline";
import { openStore } from "@vedette/store";
import { backupKeys, openBackups } from "../backup.ts";
import { connect, type ServerOptions } from "../client.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { bytesText, formOf, printRows, safe } from "../output.ts";
import { configuredPostgres } from "../postgres.ts";
import { Progress } from "../progress.ts";
import { secretsOfInstallation } from "../shared_secrets.ts";
import { logEncryption, openVault } from "../vault.ts";

interface Options extends ServerOptions {
  readonly config?: string;
  readonly to?: string;
  readonly from?: string;
  readonly at?: string;
  readonly keep?: string;
  readonly keepDays?: string;
  readonly keyFile?: string;
  readonly output?: string;
  readonly json?: boolean;
  readonly version: string;
}
type Status = Awaited<ReturnType<typeof statusOf>>;

const statusOf = (options: Options) => connect(options).get("/backup");
/** How often a server is asked how far it is. */
const ask_ms = 300;

function configured(options: Options): { readonly config: Config; readonly directory: string } {
  const { config } = loadConfig(options.config, process.env, { data_dir: options.dataDir });
  return { config, directory: resolve(config.data_dir) };
}

function folderOf(asked: string | undefined, { backup }: Config, flag: string): string {
  const folder = asked ?? backup.to;
  if (folder === undefined) throw new ConfigError("config_invalid", `expected ${flag} DIR, or backup.to in the configuration`);
  return resolve(folder);
}

const numberOf = (text: string | undefined, flag: string): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text)) throw new ConfigError("config_invalid", `${flag} ${text}: expected a number`);
  return Number(text);
};

const online = (options: Options, directory: string): boolean =>
  (options.url ?? process.env["VEDETTE_URL"] ?? holderOf(directory)?.url) !== undefined;

/** `vedette backup` */
export async function backup(options: Options): Promise<void> {
  const { config, directory } = configured(options);
  const keep = numberOf(options.keep, "--keep");
  const keep_days = numberOf(options.keepDays, "--keep-days");
  const to = options.to === undefined && online(options, directory) ? undefined : folderOf(options.to, config, "--to");
  if (to !== undefined) makeFolder(to);
  if (online(options, directory)) {
    const body = { ...(to !== undefined && { to }), ...(keep !== undefined && { keep }), ...(keep_days !== undefined && { keep_days }) };
    const before = await statusOf(options);
    await connect(options).post("/backup", { body });
    const after = await untilDone(options);
    if (after.failure && after.failure.at !== before.failure?.at) throw new UnavailableError("store_unavailable", after.failure.message);
    return tell(after.last, options);
  }
  const progress = new Progress(0);
  await stopped(options, config, directory, async (backups) => {
    const newest = keep ?? config.backup.keep;
    const days = keep_days ?? config.backup.keep_days;
    await backups.run({
      to: to!,
      keep: { newest, days },
      onProgress: (bytes, file) => progress.at(bytes, `${bytesText(bytes)} read  ${file}`),
    });
    progress.clear();
    const { last } = backups.status();
    const times = last && { taken: timeText(last.taken), finished: timeText(last.finished) };
    tell(last && times && { ...last, ...times }, options);
  });
}

const timeText = (time: number): string => new Date(time / 1_000).toISOString();

function tell(last: Status["last"], { json }: Options): void {
  if (json) return void process.stdout.write(`${jsonText(last)}\n`);
  if (last === undefined) return;
  const { id, to, files, bytes, read, stored, removed, not_in_it } = last;
  process.stdout.write(
    `Backup ${id} in ${safe(to)}: ${files} files of ${bytesText(bytes)}; ${bytesText(read)} read, ${bytesText(stored)} added${removed > 0 ? `; ${removed} old backups removed` : ""}.\n`,
  );
  if (not_in_it !== undefined) process.stdout.write(`NOT in it: ${safe(not_in_it)}.\n`);
}

async function untilDone(options: Options): Promise<Status> {
  const progress = new Progress(0);
  for (;;) {
    const status = await statusOf(options);
    if (!status.running) {
      progress.clear();
      return status;
    }
    progress.at(0, "the server is at it");
    await systemClock.sleep(ask_ms);
  }
}

/** With the data directory of a stopped installation open. */
async function stopped(options: Options, config: Config, path: string, work: (backups: Backups) => Promise<void>): Promise<void> {
  if (!existsSync(join(path, "format")))
    throw new ConfigError("config_unreadable", `${path} is no data directory; name it with --data-dir`);
  const directory = openDataDirectory(path);
  try {
    const vault = await openVault(config, directory.path);
    // what a crash left is mended as at a start
    const log =
      config.log.driver === "segments" && (await openLog({ directory: directory.path, encryption: await logEncryption(vault, config) }));
    if (log) await log.close();
    const postgres = configuredPostgres(config);
    const store = await openStore({ directory: directory.path, ...(postgres && { postgres }) });
    try {
      const secrets = secretsOfInstallation(vault, config, store.settings);
      await work(await openBackups({ config, directory: directory.path, vault, secrets, store, version: options.version }));
    } finally {
      await store.close();
    }
  } finally {
    directory.release();
  }
}

/** A folder of backups, opened by whatever key there is here. */
export async function openFolder(from: string, config: Config, directory: string, keyFile: string | undefined): Promise<Repository> {
  const { secret_key, secret_key_file, key_command } = config.auth;
  const own =
    secret_key !== undefined || secret_key_file !== undefined || key_command.length > 0 || existsSync(join(directory, "secret.key"));
  const file = keyFile ?? config.backup.key_file;
  if (!own && file === undefined)
    throw new ConfigError(
      "key_unavailable",
      `${from}: backups are sealed by the installation's key, and there is none here: set SECRET_KEY, or name with --key-file its key file, a copy of its secret.key, or the file of backup.key_file`,
    );
  return await Repository.open(from, await backupKeys(own ? await openVault(config, directory) : undefined, file));
}

const folder = async (options: Options): Promise<Repository> => {
  const { config, directory } = configured(options);
  return await openFolder(folderOf(options.from, config, "--from"), config, directory, options.keyFile);
};

/** `vedette backup list` */
export async function list(options: Options): Promise<void> {
  const repository = await folder(options);
  const rows = [];
  for (const { id } of await repository.list()) {
    const manifest = await repository.manifest(id).catch((e: Error) => e.message);
    if (typeof manifest === "string") {
      rows.push({ id, problem: manifest });
      process.exitCode = 1;
    } else rows.push({ id, ...summary(manifest) });
  }
  printRows(rows, ["id", "taken", "files", "size", "alerts", "events", "host", "version", "problem"], formOf(options), "no backups");
}

function summary({ taken, files, host, version, about }: Manifest) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    taken: timeText(taken),
    files: files.length,
    size: bytesText(bytes),
    bytes,
    alerts: about.alerts,
    events: about.events,
    host,
    version,
  };
}

/** `vedette backup verify` */
export async function verify(options: Options): Promise<void> {
  const repository = await folder(options);
  const ids = options.at === undefined ? (await repository.list()).map(({ id }) => id) : [options.at];
  const seen = new Set<string>();
  const found: { readonly backup: string; readonly damage: readonly Damage[] }[] = [];
  const problems: string[] = [];
  for (const id of ids) {
    const progress = new Progress(0);
    try {
      const manifest = await repository.manifest(id);
      const damage = await verifyBackup(repository.objects, manifest, seen, { onProgress: (n, file) => progress.at(n, `${id}  ${file}`) });
      found.push({ backup: id, damage });
    } catch (e) {
      problems.push(`${id}: ${(e as Error).message}`);
    }
    progress.clear();
  }
  const damaged = found.filter(({ damage }) => damage.length > 0);
  if (damaged.length + problems.length > 0) process.exitCode = 1;
  if (options.json) return void process.stdout.write(`${jsonText({ backups: found, problems, objects: seen.size })}\n`);
  for (const problem of problems) process.stdout.write(`BAD ${safe(problem)}\n`);
  for (const { backup: id, damage } of damaged)
    for (const { path, message } of damage) process.stdout.write(`BAD ${id}: ${safe(path)}: ${safe(message)}\n`);
  process.stdout.write(`${found.length - damaged.length} of ${ids.length} backups are whole; ${seen.size} objects opened and proved.\n`);
}

/** `vedette backup drill` */
export async function drill(options: Options): Promise<void> {
  const { config, directory } = configured(options);
  let report: NonNullable<Status["drill"]> | undefined;
  if (online(options, directory)) {
    await connect(options).post("/backup/drill", { body: options.from === undefined ? {} : { from: resolve(options.from) } });
    report = (await untilDone(options)).drill;
  } else
    await stopped(options, config, directory, async (backups) => {
      const { begun, finished, checks, ...rest } = await backups.drill(folderOf(options.from, config, "--from"));
      report = { ...rest, begun: timeText(begun), finished: timeText(finished), checks: [...checks] };
    });
  if (!report?.ok) process.exitCode = 1;
  if (options.json) return void process.stdout.write(`${jsonText(report)}\n`);
  for (const { name, ok, detail } of report?.checks ?? []) process.stdout.write(`${ok ? "ok  " : "BAD "}${name}: ${safe(detail)}\n`);
  process.stdout.write(`Backup ${report?.backup} ${report?.ok ? "restores" : "does not restore as it should"}.\n`);
}

/** `vedette backup status` */
export async function status(options: Options): Promise<void> {
  const now = await statusOf(options);
  if (options.json) return void process.stdout.write(`${jsonText(now)}\n`);
  const { schedule, last, failure, overdue, drill: tried } = now;
  const lines = [
    schedule ? `Every ${schedule.every_min} min to ${schedule.to}${overdue ? ": OVERDUE" : ""}` : "No backups are scheduled (backup.to).",
    last ? `Newest: ${last.id}, taken ${last.taken}` : "None was made yet.",
    ...(failure ? [`The newest try failed at ${failure.at}: ${failure.message}`] : []),
    tried
      ? `Newest trial to restore: ${tried.finished}, ${tried.ok ? "good" : "BAD"} (${tried.backup})`
      : "No trial to restore was made yet.",
  ];
  process.stdout.write(`${lines.map(safe).join("\n")}\n`);
  if (overdue || failure || tried?.ok === false) process.exitCode = 1;
}
