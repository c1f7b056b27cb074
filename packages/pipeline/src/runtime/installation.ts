/**
 * A log and a state belong together: checkpoints are offsets of that log. Each bears the name of its installation, so that one's log is never
 * worked on with another's state. Knows no driver.
 */
import { type Clock, ConfigError, idOf } from "@vedette/kit";
import type { SettingStore } from "@vedette/store";

export interface Belonging {
  readonly log: {
    /** What the log says it belongs to. */
    readonly installation: string | undefined;
    readonly claim: (installation: string) => Promise<void>;
    /** Next offset of the first partition of `raw`. */
    readonly end: () => Promise<number>;
  };
  readonly settings: Pick<SettingStore, "get" | "set">;
  /** How far the state says that partition was analysed. */
  readonly analysed: () => Promise<number>;
  readonly tenant: string;
  readonly clock: Clock;
  /** One process gives the name; the others compare. */
  readonly leads: boolean;
  /** Several processes, each of which could be set wrong alone. */
  readonly several: boolean;
}

const setting = "installation";
const fix =
  "Set kafka.topic (KAFKA_TOPIC), postgres.db and postgres.schema alike in every process of one installation, and otherwise in another.";

/** @throws ConfigError `config_invalid` where the log is another installation's than the state */
export async function joinInstallation(it: Belonging): Promise<void> {
  const { log, settings } = it;
  const ofState = await settings.get(setting);
  if (log.installation === undefined) {
    if (it.several) await compareOffsets(it);
    if (!it.leads) return;
    const name = ofState ?? idOf("installation", it.tenant, String(it.clock.now()));
    // the state first: a log that has a name has a state that has it, too
    if (ofState === undefined) await settings.set(setting, name);
    await log.claim(name);
  } else if (ofState === undefined) {
    if (it.several) throw wrong(`the log belongs to installation ${log.installation}, and this state is empty`);
    await settings.set(setting, log.installation);
  } else if (ofState !== log.installation) throw wrong(`the log belongs to installation ${log.installation}, the state to ${ofState}`);
}

/** Offsets of a log that was lost would pass over what comes in now. */
async function compareOffsets({ log, analysed }: Belonging): Promise<void> {
  const [reached, end] = [await analysed(), await log.end()];
  if (reached > end)
    throw wrong(`the state has offsets up to ${reached} of a log, and this one ends at ${end}: it is another installation's, or empty`);
}

const wrong = (what: string) => new ConfigError("config_invalid", `Log and state are not of one installation: ${what}. ${fix}`);
