/** Has the configured rule folders read again when a file in them changes, or on SIGHUP. Knows no rule; what stands in the way is said, and the old set goes on. */
import { watch } from "node:fs";
import type { Runtime } from "@vedette/pipeline";

/** Editors write a file in several steps, a checkout many files: what follows within this time is one change. */
const quiet_ms = 500;

export interface ReloadOptions {
  readonly runtime: Runtime;
  readonly directories: readonly string[];
  readonly watch: boolean;
  readonly say: (text: string) => void;
}

/** @returns the way to stop */
export function reloadOnChange({ runtime, directories, watch: watching, say }: ReloadOptions): () => void {
  let waiting: NodeJS.Timeout | undefined;
  const reload = (why: string) => {
    runtime.reloadRules(why).then(
      ({ version, blocked, plan }) => {
        for (const line of plan.refused) if (blocked.length > 0) say(`refused: ${line}`);
        for (const line of blocked) say(`rules not reloaded: ${line}`);
        if (blocked.length === 0 && plan.differences.length > 0)
          say(`rules reloaded (${why}): ${plan.differences.length} changed, version ${version}`);
      },
      (e: Error) => say(`rules not reloaded: ${e.message}`),
    );
  };
  const onSignal = () => reload("SIGHUP");
  process.on("SIGHUP", onSignal);
  const watchers = (watching ? directories : []).flatMap((directory) => {
    try {
      const watcher = watch(directory, { recursive: true, persistent: false }, (_, name) => {
        if (name !== null && !/\.ya?ml$/.test(name)) return;
        clearTimeout(waiting);
        waiting = setTimeout(() => reload(`${directory} changed`), quiet_ms);
      });
      watcher.on("error", (e) => say(`${directory} is not watched any more: ${e.message}`));
      return [watcher];
    } catch (e) {
      say(`${directory} is not watched: ${(e as Error).message}`);
      return [];
    }
  });
  return () => {
    clearTimeout(waiting);
    process.off("SIGHUP", onSignal);
    for (const one of watchers) one.close();
  };
}
