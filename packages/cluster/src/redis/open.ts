/** The cluster over one Redis: every process of the installation with the same settings is in it. Knows no driver, only a connection. */
import {
  type Clock,
  type Counters,
  contentHash,
  type Draw,
  type Drawn,
  defineCounter,
  inProcessCounters,
  UnavailableError,
  z,
} from "@vedette/kit";
import {
  type Cluster,
  type Health,
  type Held,
  type Lease,
  type Leases,
  type Member,
  type Members,
  maxRecent,
  type Notices,
  type Recent,
  recentSlot,
  recentSlots,
} from "../cluster.ts";
import { checkNotice, inProcessRecent, Listeners, recentNow } from "../in_process.ts";
import { Connection } from "./connection.ts";
import * as scripts from "./scripts.ts";
import type { RedisSettings } from "./settings.ts";

/** A server that is just being restarted is waited for. */
const patience_ms = 30_000;
/** Names come from outside in part; longer ones are told apart by their hash. */
const maxName = 100;
const short = (name: string): string => (name.length <= maxName ? name : contentHash(name));

const told = defineCounter("cluster_notices_total", "Notices to other processes, by whether they left.", ["outcome"]);

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

interface Extending {
  readonly lease: Lease;
  readonly done: (own: boolean) => void;
  readonly failed: (cause: unknown) => void;
}

/** A process that holds seventy leases extends those whose turn it is with one question. */
function extending(connection: Connection, key: string): (lease: Lease, ttl_ms: number) => Promise<boolean> {
  const waiting = new Map<number, Extending[]>();
  const ask = async (ttl_ms: number): Promise<void> => {
    const some = waiting.get(ttl_ms)!;
    waiting.delete(ttl_ms);
    try {
      const args = some.flatMap(({ lease }) => [lease.name, lease.fence]);
      const own = (await connection.run(scripts.extend, [key], [ttl_ms, ...args])) as number[];
      for (const [n, { done }] of some.entries()) done(own[n] === 1);
    } catch (cause) {
      for (const { failed } of some) failed(cause);
    }
  };
  return (lease, ttl_ms) =>
    new Promise((done, failed) => {
      const some = waiting.get(ttl_ms);
      if (some !== undefined) some.push({ lease, done, failed });
      else {
        waiting.set(ttl_ms, [{ lease, done, failed }]);
        // after the timers of this turn
        setImmediate(() => void ask(ttl_ms));
      }
    });
}

function redisLeases(connection: Connection, key: string, clock: Clock): Leases {
  const extend = extending(connection, key);
  return {
    async acquire(name, holder, ttl_ms) {
      const until = clock.now() + ttl_ms * 1_000;
      const fence = await connection.run(scripts.acquire, [key], [name, holder, ttl_ms]);
      return fence === null ? undefined : { name, holder, fence: Number(fence), until };
    },
    async renew(lease, ttl_ms) {
      const until = clock.now() + ttl_ms * 1_000;
      return (await extend(lease, ttl_ms)) ? { ...lease, until } : undefined;
    },
    async release(lease) {
      await extend(lease, 0);
    },
    async holders(prefix) {
      const parts = (await connection.run(scripts.holders, [key], [prefix])) as (string | number)[];
      const held: Held[] = [];
      for (let i = 0; i + 3 < parts.length; i += 4)
        held.push({ name: String(parts[i]), holder: String(parts[i + 1]), fence: Number(parts[i + 2]), left_ms: Number(parts[i + 3]) });
      return held.sort(byName);
    },
  };
}

/** What other versions of the program may have written there. */
const memberSchema = z.object({
  name: z.string(),
  roles: z.array(z.string()),
  address: z.string().optional(),
  version: z.string(),
  started: z.number(),
  load: z.number(),
});

function memberOf(text: string): Member[] {
  try {
    return [memberSchema.parse(JSON.parse(text))];
  } catch {
    return [];
  }
}

function redisMembers(connection: Connection, key: string): Members {
  return {
    async join(member, ttl_ms) {
      await connection.run(scripts.join, [key], [member.name, ttl_ms, JSON.stringify(member)]);
    },
    async leave(name) {
      await connection.call("HDEL", key, name);
    },
    list: async () => ((await connection.run(scripts.list, [key], [])) as string[]).flatMap(memberOf).sort(byName),
  };
}

/** Arguments of one command: Lua unpacks no more than some thousands. */
const membersAtOnce = 1_000;

/** Where the shared place does not answer, what this process can say itself. */
async function orElse<T>(shared: () => Promise<T>, own: () => Promise<T>): Promise<T> {
  try {
    return await shared();
  } catch (error) {
    if (error instanceof UnavailableError) return own();
    throw error;
  }
}

function redisCounters(connection: Connection, prefix: string, clock: Clock): Counters {
  const own = inProcessCounters(clock);
  const draw = async (how: "take" | "charge", draws: readonly Draw[]): Promise<Drawn[]> => {
    if (draws.length === 0) return [];
    const args = draws.flatMap(({ rate, cost }) => [60_000_000 / rate.perMinute, (60_000_000 / rate.perMinute) * rate.burst, cost]);
    const keys = draws.map(({ key }) => `${prefix}${short(key)}`);
    const parts = (await connection.run(scripts.draw, keys, [how, ...args])) as number[];
    return draws.map((_, index) => ({ wait: parts[3 * index]!, left: parts[3 * index + 1]!, recovered: parts[3 * index + 2]! }));
  };
  return {
    take: (draws) =>
      orElse<readonly Drawn[]>(
        () => draw("take", draws),
        () => own.take(draws),
      ),
    charge: (draws) =>
      orElse<void>(
        async () => void (await draw("charge", draws)),
        () => own.charge(draws),
      ),
  };
}

function redisRecent(connection: Connection, prefix: string, clock: Clock): Recent {
  const own = inProcessRecent(clock);
  const keysOf = (kind: string) => recentNow(clock).map((slot) => `${prefix}${short(kind)}:${slot}`);
  const ttl_ms = (recentSlot / 1_000) * (recentSlots + 1);
  return {
    async add(kind, members) {
      for (let at = 0; at < members.length; at += membersAtOnce) {
        const some = members.slice(at, at + membersAtOnce);
        const [key] = keysOf(kind);
        await orElse<unknown>(
          () => connection.run(scripts.remember, [key!], [maxRecent, ttl_ms, ...some.map(short)]),
          () => own.add(kind, some),
        );
      }
    },
    async known(kind, members) {
      const found = new Set(await own.known(kind, members));
      for (let at = 0; at < members.length; at += membersAtOnce) {
        const some = members.slice(at, at + membersAtOnce);
        const flags = await orElse<unknown>(
          () => connection.run(scripts.remembered, keysOf(kind), some.map(short)),
          async () => [],
        );
        for (const [n, flag] of (flags as number[]).entries()) if (flag === 1) found.add(some[n]!);
      }
      return found;
    },
  };
}

class RedisNotices implements Notices {
  readonly #connection: Connection;
  readonly #listeners: Listeners;
  readonly #prefix: string;
  #sent = 0;
  #lost = 0;

  constructor(connection: Connection, listeners: Listeners, prefix: string) {
    this.#connection = connection;
    this.#listeners = listeners;
    this.#prefix = prefix;
  }

  get counts(): Health["notices"] {
    return { sent: this.#sent, lost: this.#lost };
  }

  publish(topic: string, bytes: Uint8Array): void {
    checkNotice(topic, bytes);
    this.#connection.call("PUBLISH", this.#prefix + topic, Buffer.from(bytes)).then(
      () => {
        this.#sent++;
        told.add(1, "sent");
      },
      () => {
        this.#lost++;
        told.add(1, "lost");
      },
    );
  }

  async subscribe(topic: string, listener: Parameters<Notices["subscribe"]>[1]): Promise<() => void> {
    const end = this.#listeners.add(topic, listener);
    await this.#connection.subscribe(this.#prefix + topic);
    return () => {
      end();
      if (!this.#listeners.has(topic)) void this.#connection.unsubscribe(this.#prefix + topic);
    };
  }
}

/** @throws ConfigError where a setting is wrong, UnavailableError where no server answers for long. */
export async function openRedisCluster(settings: RedisSettings, clock: Clock, patience = patience_ms): Promise<Cluster> {
  const prefix = `${settings.prefix}:`;
  const channels = `${prefix}notice:`;
  const listeners = new Listeners();
  const connection = await Connection.open(
    settings,
    clock,
    {
      message: (channel, bytes) => listeners.notice(channel.slice(channels.length), bytes),
      back: () => listeners.missed(),
    },
    patience,
  );
  const notices = new RedisNotices(connection, listeners, channels);
  return {
    leases: redisLeases(connection, `${prefix}leases`, clock),
    members: redisMembers(connection, `${prefix}members`),
    notices,
    counters: redisCounters(connection, `${prefix}rate:`, clock),
    recent: redisRecent(connection, `${prefix}recent:`, clock),
    health() {
      const { state, warnings } = connection;
      const rest = { driver: "redis", warnings, notices: notices.counts } as const;
      return state.up ? { ...rest, up: true } : { ...rest, up: false, reason: state.reason.message, since: state.since };
    },
    close: () => connection.close(),
  };
}
