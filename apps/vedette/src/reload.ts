/**
 * Has what the configuration names read again when a file of it changes, or on SIGHUP: rules, pipelines, inventories. Knows none of them; what
 * stands in the way is said, and the old set goes on.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@vedette/kit";
import type { Runtime } from "@vedette/pipeline";

/** Looked at so often: asking works on every file system, where being told of changes does not (a file put in another's place, NFS). */
const look_ms = 2_000;

/** Something that is read again by itself. */
export interface Reloaded {
  /** Folders of YAML files, and files. */
  readonly paths: readonly string[];
  /** As in "a … changed". */
  readonly what: string;
  readonly watch: boolean;
  /** Never throws. */
  readonly reload: (why: string) => Promise<void>;
}

type Say = (text: string) => void;

export const rulesReloaded = (runtime: Pick<Runtime, "reloadRules">, paths: readonly string[], watch: boolean, say: Say): Reloaded => ({
  paths,
  watch,
  what: "rule file",
  reload: told("rules", say, async (why) => {
    const { version, blocked, plan } = await runtime.reloadRules(why);
    if (blocked.length > 0) for (const line of plan.refused) say(`refused: ${line}`);
    for (const line of blocked) say(`rules not reloaded: ${line}`);
    if (blocked.length === 0 && plan.differences.length > 0)
      say(`rules reloaded (${why}): ${plan.differences.length} changed, version ${version}`);
  }),
});

export const pipelinesReloaded = (
  runtime: Pick<Runtime, "reloadPipelines">,
  paths: readonly string[],
  watch: boolean,
  say: Say,
): Reloaded => ({
  paths,
  watch,
  what: "pipeline file",
  reload: told("pipelines", say, async (why) => {
    const { blocked, changed } = await runtime.reloadPipelines(why);
    for (const line of blocked) say(`pipelines not reloaded: ${line}`);
    if (changed) say(`pipelines reloaded (${why})`);
  }),
});

export const tablesReloaded = (runtime: Pick<Runtime, "enrichment">, paths: readonly string[], say: Say): Reloaded => ({
  paths,
  watch: true,
  what: "table for enrichment",
  reload: told("tables", say, async (why) => {
    const changed = (await runtime.enrichment?.reload({ by: "vedette", reason: why })) ?? [];
    if (changed.length > 0) say(`tables reloaded (${why}): ${changed.join(", ")}`);
  }),
});

function told(what: string, say: Say, reload: (why: string) => Promise<void>): Reloaded["reload"] {
  return (why) => reload(why).catch((e: Error) => say(`${what} not reloaded: ${e.message}`));
}

/** Until `signal` aborts. */
export async function reloadOnChange(things: readonly Reloaded[], clock: Clock, signal: AbortSignal): Promise<void> {
  const onSignal = () => void all(things, (one) => one.reload("SIGHUP"));
  process.on("SIGHUP", onSignal);
  signal.addEventListener("abort", () => process.off("SIGHUP", onSignal));
  await Promise.all(things.map((one) => watch(one, clock, signal)));
}

async function all(things: readonly Reloaded[], reload: (one: Reloaded) => Promise<void>): Promise<void> {
  for (const one of things) await reload(one);
}

async function watch({ paths, what, watch: watched, reload }: Reloaded, clock: Clock, signal: AbortSignal): Promise<void> {
  if (!watched || paths.length === 0) return;
  let known = await stateOf(paths);
  let before = known;
  while (!signal.aborted) {
    await clock.sleep(look_ms, signal);
    const now = await stateOf(paths);
    // two looks alike: whoever writes several files, or one in several steps, is done
    if (now !== known && now === before && !signal.aborted) {
      known = now;
      await reload(`a ${what} changed`);
    }
    before = now;
  }
}

/** Names, sizes and times of the files, and of the YAML files below the folders. */
async function stateOf(paths: readonly string[]): Promise<string> {
  const found: string[] = [];
  for (const path of paths) {
    const names = await readdir(path, { recursive: true }).catch(() => undefined);
    const files =
      names === undefined
        ? [path]
        : names
            .filter((name) => /\.ya?ml$/.test(name))
            .sort()
            .map((name) => join(path, name));
    for (const file of files) {
      const state = await stat(file).catch(() => undefined);
      if (state) found.push(`${file}\0${state.size}\0${state.mtimeMs}\0${state.ino}`);
    }
  }
  return found.join("\n");
}
