/** The trial of a backup: everything proved, all but events put back beside, opened, and held against what was noted. Starts nothing on the network. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { keyRing, readHeads, trailPaths, verifyChain } from "@vedette/audit";
import { type Damage, hasSharedEvents, type Manifest, type Repository, Restore, verifyBackup } from "@vedette/backup";
import { type Clock, diskFiles } from "@vedette/kit";
import { openLog } from "@vedette/log";
import type { DrillReport } from "@vedette/model";
import { openStore, sharedFolder } from "@vedette/store";

type Check = DrillReport["checks"][number];

export interface DrillOptions {
  /** Emptied before and removed after. */
  readonly directory: string;
  readonly clock: Clock;
  readonly onProgress?: (bytes: number, file: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What a store needs to be looked at. */
const memoryMb = 64;

/** Never throws over what it finds: that is its report. */
export async function drill(repository: Repository, manifest: Manifest, options: DrillOptions): Promise<DrillReport> {
  const { directory, clock } = options;
  const begun = clock.now();
  const checks: Check[] = [];
  const check = async (name: string, what: () => Promise<{ ok: boolean; detail: string }>) => {
    options.signal?.throwIfAborted();
    checks.push({ name, ...(await what().catch((e: Error) => ({ ok: false, detail: e.message }))) });
    return checks.at(-1)!.ok;
  };
  await rm(directory, { recursive: true, force: true });
  try {
    await check("objects", async () =>
      told(await verifyBackup(repository.objects, manifest, new Set(), options), `${manifest.files.length} files`),
    );
    const back = await check("files", async () => {
      const damage = await new Restore(repository, manifest, directory, true).first(options);
      return told(damage, "all but events put back");
    });
    if (back) {
      await check("trail", () => trailCheck(directory, manifest));
      await check("log", () => logCheck(directory, manifest));
      await check("state", () => stateCheck(directory, manifest));
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return { backup: manifest.id, begun, finished: clock.now(), ok: checks.every(({ ok }) => ok), checks };
}

const told = (damage: readonly Damage[], good: string) => ({
  ok: damage.length === 0,
  detail:
    damage.length === 0 ? good : `${damage[0]!.path}: ${damage[0]!.message}${damage.length > 1 ? `, and ${damage.length - 1} more` : ""}`,
});

/** Whether the audit trail of a restored directory holds, and ends where it ended. */
export async function trailCheck(directory: string, { about }: Manifest): Promise<{ ok: boolean; detail: string }> {
  const paths = trailPaths(directory);
  const { records, hash } = about.trail;
  if (records === 0) return { ok: true, detail: "there was none" };
  const [heads, key] = [await diskFiles.read(paths.heads), await diskFiles.read(paths.publicKey)];
  const verdict = await verifyChain({
    directory: paths.chain,
    heads: heads === undefined ? [] : readHeads(Buffer.from(heads).toString("utf8")).heads,
    keys: key === undefined ? new Map() : keyRing([Buffer.from(key).toString("utf8")]),
  });
  if (verdict.bad) return { ok: false, detail: verdict.bad.message };
  const same = verdict.records === records && verdict.last?.hash === hash;
  return { ok: same, detail: `${verdict.records} records${same ? "" : `; ${records} were noted`}` };
}

async function logCheck(directory: string, { about }: Manifest): Promise<{ ok: boolean; detail: string }> {
  const log = await openLog({ directory });
  try {
    const short: string[] = [];
    for (const [place, end] of Object.entries(about.log)) {
      const [topic, partition] = place.split("/") as ["raw", string];
      const found = await log.bounds(topic, Number(partition));
      if (found.end !== end) short.push(`${place} ends at ${found.end}, not ${end}`);
    }
    const damage = await log.damage();
    for (const { where, reason } of damage) short.push(`${where}: ${reason}`);
    return {
      ok: short.length === 0,
      detail:
        short.length === 0
          ? Object.entries(about.log)
              .map(([p, n]) => `${p} to ${n}`)
              .join(", ")
          : short.join("; "),
    };
  } finally {
    await log.close();
  }
}

async function stateCheck(directory: string, manifest: Manifest): Promise<{ ok: boolean; detail: string }> {
  const { about } = manifest;
  const shared = hasSharedEvents(manifest) ? { shared: join(directory, sharedFolder) } : {};
  const store = await openStore({ directory, ...shared, memoryLimitMb: memoryMb });
  try {
    const copy = await store.snapshots.take(join(directory, "backup.tmp"));
    await store.snapshots.release(copy.id);
    const { restoring } = await store.events.usage();
    const wrong = [
      ...(copy.alerts === about.alerts ? [] : [`${copy.alerts} alerts, ${about.alerts} were noted`]),
      ...(copy.lastAlert === about.last_alert ? [] : [`the last alert is ${copy.lastAlert}, not ${about.last_alert}`]),
      ...((restoring?.events ?? 0) === about.events ? [] : [`${restoring?.events ?? 0} sealed events, ${about.events} were noted`]),
    ];
    return {
      ok: wrong.length === 0,
      detail: wrong.length === 0 ? `${about.alerts} alerts, ${about.events} sealed events` : wrong.join("; "),
    };
  } finally {
    await store.close();
  }
}
