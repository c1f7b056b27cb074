/** The cluster of one process: in memory, gone with it. Knows no network. */
import { BadInputError, type Clock, inProcessCounters } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import {
  type Cluster,
  type Leases,
  type Listener,
  type Members,
  maxNotice,
  maxRecent,
  type Notices,
  type Recent,
  recentSlot,
  recentSlots,
} from "./cluster.ts";

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

function inProcessLeases(clock: Clock): Leases {
  const leases = new Map<string, { readonly holder: string; readonly fence: number; readonly until: Micros }>();
  const holderOf = (name: string) => {
    const lease = leases.get(name);
    return lease !== undefined && lease.until > clock.now() ? lease : undefined;
  };
  return {
    async acquire(name, holder, ttl_ms) {
      const now = clock.now();
      const held = holderOf(name);
      if (held !== undefined && held.holder !== holder) return undefined;
      const fence = Math.max((leases.get(name)?.fence ?? 0) + 1, Math.floor(now / 1_000));
      const lease = { holder, fence, until: now + ttl_ms * 1_000 };
      leases.set(name, lease);
      return { name, ...lease };
    },
    async renew({ name, fence }, ttl_ms) {
      const held = holderOf(name);
      if (held?.fence !== fence) return undefined;
      const renewed = { ...held, until: clock.now() + ttl_ms * 1_000 };
      leases.set(name, renewed);
      return { name, ...renewed };
    },
    async release({ name, fence }) {
      const held = holderOf(name);
      if (held?.fence === fence) leases.set(name, { ...held, until: 0 });
    },
    async holders(prefix) {
      const names = [...leases.keys()].filter((name) => name.startsWith(prefix) && holderOf(name) !== undefined);
      return names
        .map((name) => {
          const { holder, fence, until } = leases.get(name)!;
          return { name, holder, fence, left_ms: Math.ceil((until - clock.now()) / 1_000) };
        })
        .sort(byName);
    },
  };
}

function inProcessMembers(clock: Clock): Members {
  const members = new Map<string, { readonly member: Parameters<Members["join"]>[0]; readonly until: Micros }>();
  return {
    join: async (member, ttl_ms) => void members.set(member.name, { member, until: clock.now() + ttl_ms * 1_000 }),
    leave: async (name) => void members.delete(name),
    async list() {
      for (const [name, { until }] of members) if (until <= clock.now()) members.delete(name);
      return [...members.values()].map(({ member }) => member).sort(byName);
    },
  };
}

/** Who listens here, by topic. */
export class Listeners {
  readonly #byTopic = new Map<string, Set<Listener>>();

  /** @returns how to end it */
  add(topic: string, listener: Listener): () => void {
    const own: Listener = { notice: (bytes) => listener.notice(bytes), missed: () => listener.missed() };
    const listeners = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, listeners.add(own));
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#byTopic.get(topic) === listeners) this.#byTopic.delete(topic);
    };
  }
  has(topic: string): boolean {
    return this.#byTopic.has(topic);
  }
  notice(topic: string, bytes: Uint8Array): void {
    for (const listener of this.#byTopic.get(topic) ?? []) listener.notice(bytes);
  }
  missed(): void {
    for (const listeners of this.#byTopic.values()) for (const listener of listeners) listener.missed();
  }
}

export function checkNotice(topic: string, bytes: Uint8Array): void {
  if (bytes.length > maxNotice)
    throw new BadInputError("too_large", `a notice to "${topic}" of ${bytes.length} bytes: expected at most ${maxNotice}`);
}

/** The spans that are remembered, the present one first. */
export const recentNow = (clock: Clock): readonly number[] => {
  const present = Math.floor(clock.now() / recentSlot);
  return Array.from({ length: recentSlots }, (_, ago) => present - ago);
};

export function inProcessRecent(clock: Clock): Recent {
  const slots = new Map<string, Set<string>>();
  const nameOf = (kind: string, slot: number) => `${slot}\0${kind}`;
  return {
    async add(kind, members) {
      const [present, ...before] = recentNow(clock);
      for (const name of slots.keys()) if (Number(name.split("\0", 1)[0]) < before.at(-1)!) slots.delete(name);
      const name = nameOf(kind, present!);
      const slot = slots.get(name) ?? new Set();
      slots.set(name, slot);
      for (const member of members) if (slot.size < maxRecent) slot.add(member);
    },
    async known(kind, members) {
      const all = recentNow(clock).flatMap((slot) => slots.get(nameOf(kind, slot)) ?? []);
      return new Set(members.filter((one) => all.some((slot) => slot.has(one))));
    },
  };
}

export function inProcessCluster(clock: Clock): Cluster {
  const listeners = new Listeners();
  let sent = 0;
  const notices: Notices = {
    publish(topic, bytes) {
      checkNotice(topic, bytes);
      sent++;
      // not before the caller is done, as over a network
      queueMicrotask(() => listeners.notice(topic, bytes));
    },
    subscribe: async (topic, listener) => listeners.add(topic, listener),
  };
  return {
    leases: inProcessLeases(clock),
    members: inProcessMembers(clock),
    notices,
    counters: inProcessCounters(clock),
    recent: inProcessRecent(clock),
    health: () => ({ driver: "in_process", up: true, warnings: [], notices: { sent, lost: 0 } }),
    close: async () => {},
  };
}
