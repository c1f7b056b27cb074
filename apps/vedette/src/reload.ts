/** Has the configured rule folders read again when a file in them changes, or on SIGHUP. Knows no rule; what stands in the way is said, and the old set goes on. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@vedette/kit";
import type { Runtime } from "@vedette/pipeline";

/** Looked at so often: asking works on every file system, where being told of changes does not (a file put in another's place, NFS). */
const look_ms = 2_000;

export interface ReloadOptions {
  readonly runtime: Pick<Runtime, "reloadRules">;
  readonly directories: readonly string[];
  readonly watch: boolean;
  readonly clock: Clock;
  readonly say: (text: string) => void;
}

/** Until `signal` aborts. */
export async function reloadOnChange({ runtime, directories, watch, clock, say }: ReloadOptions, signal: AbortSignal): Promise<void> {
  const reload = async (why: string) => {
    try {
      const { version, blocked, plan } = await runtime.reloadRules(why);
      if (blocked.length > 0) for (const line of plan.refused) say(`refused: ${line}`);
      for (const line of blocked) say(`rules not reloaded: ${line}`);
      if (blocked.length === 0 && plan.differences.length > 0)
        say(`rules reloaded (${why}): ${plan.differences.length} changed, version ${version}`);
    } catch (e) {
      say(`rules not reloaded: ${(e as Error).message}`);
    }
  };
  const onSignal = () => void reload("SIGHUP");
  process.on("SIGHUP", onSignal);
  signal.addEventListener("abort", () => process.off("SIGHUP", onSignal));
  if (!watch || directories.length === 0) return;
  let known = await stateOf(directories);
  let before = known;
  while (!signal.aborted) {
    await clock.sleep(look_ms, signal);
    const now = await stateOf(directories);
    // two looks alike: whoever writes several files, or one in several steps, is done
    if (now !== known && now === before && !signal.aborted) {
      known = now;
      await reload("a rule file changed");
    }
    before = now;
  }
}

/** Names, sizes and times of the YAML files below. */
async function stateOf(directories: readonly string[]): Promise<string> {
  const all: string[] = [];
  for (const directory of directories) {
    const names = (await readdir(directory, { recursive: true }).catch(() => [])).map(String).filter((name) => /\.ya?ml$/.test(name));
    for (const name of names.sort()) {
      const found = await stat(join(directory, name)).catch(() => undefined);
      if (found) all.push(`${directory}\0${name}\0${found.size}\0${found.mtimeMs}\0${found.ino}`);
    }
  }
  return all.join("\n");
}
