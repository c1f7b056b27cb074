/** The keys at rest of one process: which there are, new ones while it runs, and the same as those of the processes beside it. Seals nothing itself. */
import type { VaultPort } from "@vedette/api";
import type { Cluster } from "@vedette/cluster";
import type { Clock, SealedPlace } from "@vedette/kit";
import type { LogKeys, SealedLog } from "@vedette/log";
import type { Vault } from "@vedette/vault";

export interface KeysAtRest {
  readonly vault: Vault;
  readonly logKeys: LogKeys;
  readonly log: SealedLog;
  /** Where boxes lie besides the vault's own. */
  readonly places: readonly SealedPlace[];
  readonly notices: Cluster["notices"];
  readonly clock: Clock;
  readonly onProblem: (message: string) => void;
}

const topic = "keys";
/** A process that did not hear of a rotation seals by the older key so long; what it sealed is opened all the same. */
const every_ms = 60_000;

/** What the API offers of them, and what goes on beside it until `signal`. */
export function keysAtRest(keys: KeysAtRest): VaultPort & { run(signal: AbortSignal): Promise<void> } {
  const { vault, logKeys, log, places, notices, clock, onProblem } = keys;
  const follow = async () => {
    try {
      await vault.reread();
      await logKeys.settle(log);
    } catch (error) {
      onProblem(`keys at rest: ${(error as Error).message}`);
    }
  };
  return {
    status: async () => ({ ...(await vault.status(places)), log: await logKeys.status(log) }),
    rotate: async () => {
      const rotated = await vault.rotate(places);
      notices.publish(topic, new Uint8Array());
      const log_key = await logKeys.renew(log);
      if (log_key !== undefined) notices.publish(topic, new Uint8Array());
      return { ...rotated, ...(log_key !== undefined && { log_key }) };
    },
    run: async (signal) => {
      const unsubscribe = await notices.subscribe(topic, { notice: () => void follow(), missed: () => void follow() });
      while (!signal.aborted) {
        await follow();
        await clock.sleep(every_ms, signal);
      }
      unsubscribe();
    },
  };
}
