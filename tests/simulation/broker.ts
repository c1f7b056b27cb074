/** The log on a broker and the shared place of a cluster, as one of several processes has them: over wires. Stands in for Kafka and Redis. */
import type { Cluster, Leases } from "@vedette/cluster";
import type { Log } from "@vedette/log";
import type { Life } from "./life.ts";
import { over, type WireHealth, wire } from "./wire.ts";
import { ms } from "./world.ts";

/**
 * An append that failed may be there all the same, or come to be there late.
 * @param shared what the broker holds; it loses nothing
 */
export function brokerLog(life: Life, health: WireHealth, shared: Log): Log {
  const asked = over(wire(life, "broker", health, ms), shared);
  const { append, read, bounds, positions, counts, retain } = asked;
  return {
    // what is on its way is the broker's: who sent it may use its buffer again
    append: (topic, partition, batch, options) => append(topic, partition, new Uint8Array(batch), options),
    read,
    bounds,
    positions,
    counts,
    retain,
    // a long poll: told soon after something is there
    wait: (topic, partition, offset, signal) =>
      new Promise((resolve) => {
        shared.wait(topic, partition, offset, signal).then(() => life.after(ms, resolve));
      }),
    damage: async () => [],
    close: async () => {},
  };
}

export function sharedPlace(life: Life, health: WireHealth, shared: Cluster): Cluster {
  const ask = wire(life, "redis", health);
  const asked: Leases = over(ask, shared.leases);
  const { clock } = life;
  /** By the asker's own clock, from before it asked. */
  const from = async (asking: () => ReturnType<Leases["acquire"]>, ttl_ms: number) => {
    const until = clock.now() + ttl_ms * 1_000;
    const lease = await asking();
    return lease && { ...lease, until };
  };
  return {
    ...shared,
    leases: {
      ...asked,
      acquire: (name, holder, ttl_ms) => from(() => asked.acquire(name, holder, ttl_ms), ttl_ms),
      renew: (lease, ttl_ms) => from(() => asked.renew(lease, ttl_ms), ttl_ms),
      release: (lease) => asked.release(lease),
      holders: (prefix) => asked.holders(prefix),
    },
    members: over(ask, shared.members),
    close: async () => {},
  };
}
