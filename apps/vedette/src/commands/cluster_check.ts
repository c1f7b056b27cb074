/** What `doctor` says of Redis, where the configuration names one. Changes nothing in it. */
import { systemClock, VedetteError } from "@vedette/kit";
import { openCluster } from "../cluster.ts";
import type { Config } from "../config/schema.ts";

/** Somebody waits for the answer: what does not answer by then is told so. */
const patience_ms = 3_000;

export async function clusterCheck(config: Config) {
  const name = "redis";
  const { host, port, tls } = config.redis;
  try {
    const cluster = await openCluster(config, systemClock, patience_ms);
    const members = await cluster.members.list();
    const { warnings } = cluster.health();
    await cluster.close();
    const plain = tls === undefined && !/^(localhost|127\.|::1$)/.test(host ?? "");
    return {
      name,
      ok: true,
      note: plain || warnings.length > 0,
      detail: [`${host}:${port}: ${members.length} processes are there`, ...warnings, ...(plain ? ["not encrypted on the way"] : [])].join(
        "; ",
      ),
      advice: plain && warnings.length === 0 ? "set redis.tls (docs/guide/several-processes.md)" : "docs/guide/several-processes.md",
    };
  } catch (e) {
    if (!(e instanceof VedetteError)) throw e;
    return { name, ok: false, detail: e.message, advice: "mend what it names (docs/guide/several-processes.md)" };
  }
}
