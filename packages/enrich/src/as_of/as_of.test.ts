import { compile } from "@vedette/condition";
import { newFields } from "@vedette/kit";
import type { Event, FieldValue, Micros } from "@vedette/model";
import { expect, test } from "vitest";
import { ancestryThen } from "./ancestry.ts";
import { namesThen } from "./names.ts";
import type { Records } from "./records.ts";

const start: Micros = 1_772_359_200_000_000;
const hour: Micros = 3_600_000_000;

function eventOf(id: string, at: Micros, fields: { readonly [name: string]: FieldValue }): Event {
  const own = Object.assign(newFields(), fields);
  return {
    id,
    tenant: "main",
    source: "s",
    time: start + at,
    received: start + at,
    seq: 0,
    class: "other",
    host: "n1",
    fields: own,
    original: "",
  };
}
/** A store of a few events, and how often it was asked. */
function recordsOf(events: readonly Event[]): Records & { asked: number } {
  const records = {
    asked: 0,
    async first({ where, from, to, order }: Parameters<Records["first"]>[0]) {
      records.asked++;
      const test = compile(where);
      const found = events.filter((event) => event.time >= from && event.time <= to && test(event)).sort((a, b) => a.time - b.time);
      return order === "oldest" ? found[0] : found.at(-1);
    },
  };
  return records;
}

const lease = (id: string, at: Micros, address: string, mac: string, more: { readonly [name: string]: FieldValue } = {}) =>
  eventOf(id, at, { "zeek.dhcp.assigned_addr": address, "source.mac": mac, "zeek.dhcp.lease_time": 3_600, ...more });
const connection = (at: Micros) => eventOf("conn", at, { "source.ip": "10.0.2.15", "destination.ip": "203.0.113.9" });

test("an address is whose it was then, not whose it is now", async () => {
  const records = recordsOf([
    lease("a", 0, "10.0.2.15", "08:00", { "zeek.dhcp.host_name": "john-pc" }),
    lease("b", 5 * hour, "10.0.2.15", "09:00", { "zeek.dhcp.host_name": "mary-pc" }),
  ]);
  const nameAt = async (at: Micros) => (await namesThen(connection(at), records)).map(({ name, mac, event }) => [name, mac, event]);
  expect(await nameAt(-1)).toEqual([]);
  expect(await nameAt(hour / 2)).toEqual([["john-pc", "08:00", "a"]]);
  // nobody had it between
  expect(await nameAt(2 * hour)).toEqual([]);
  expect(await nameAt(5 * hour)).toEqual([["mary-pc", "09:00", "b"]]);
});

test("a renewal without a name is of the machine that told its name before; a lease without a time holds a day", async () => {
  const records = recordsOf([
    lease("a", 0, "10.0.2.14", "08:00", { "zeek.dhcp.client_fqdn": "john.example" }),
    eventOf("b", hour, { "zeek.dhcp.assigned_addr": "10.0.2.15", "source.mac": "08:00" }),
  ]);
  expect(await namesThen(connection(20 * hour), records)).toEqual([
    { address: "10.0.2.15", name: "john.example", by: "dhcp", mac: "08:00", at: start + hour, until: start + 25 * hour, event: "b" },
  ]);
  expect(await namesThen(connection(26 * hour), records)).toEqual([]);
});

test("a destination has the name that its user asked for, else the one that anybody did", async () => {
  const answer = (id: string, at: Micros, client: string, name: string, ttl: number) =>
    eventOf(id, at, {
      "source.ip": client,
      "dns.question.name": name,
      "dns.answers.data": ["edge.cdn.example", "203.0.113.9"],
      "dns.answers.ttl": [ttl, ttl],
    });
  const mine = answer("a", 0, "10.0.2.15", "updates.example", 300);
  const other = answer("b", hour, "10.0.2.99", "miner.example", 60);
  const later = answer("c", 3 * hour, "10.0.2.15", "news.example", 60);
  const names = async (...events: Event[]) =>
    (await namesThen(connection(2 * hour), recordsOf(events))).map(({ name, until }) => [name, until]);
  expect(await names(mine, other, later)).toEqual([["updates.example", start + 300_000_000]]);
  expect(await names(other, later)).toEqual([["miner.example", start + hour + 60_000_000]]);
  expect(await names(later)).toEqual([]);
});

const process = (id: string, at: Micros, entity: string, parent: string, name: string) =>
  eventOf(id, at, {
    "process.entity_id": entity,
    "process.parent.entity_id": parent,
    "process.name": name,
    "event.type": ["start"],
    "user.name": "ann",
  });

test("a process's parents by the sensor's ids, up to the one whose start was not seen", async () => {
  const records = recordsOf([
    process("1", 0, "sshd1", "init", "sshd"),
    process("2", hour, "bash1", "sshd1", "bash"),
    process("3", 2 * hour, "curl1", "bash1", "curl"),
    // a later record of the same process
    eventOf("4", 3 * hour, { "process.entity_id": "bash1", "process.name": "bash", "event.type": ["end"] }),
  ]);
  const socket = eventOf("s", 2 * hour + 5, { "process.entity_id": "curl1", "process.name": "curl", "process.parent.name": "bash" });
  const chain = await ancestryThen(socket, records);
  expect(chain.map(({ entity_id, name, event }) => [entity_id, name, event])).toEqual([
    ["curl1", "curl", "3"],
    ["bash1", "bash", "2"],
    ["sshd1", "sshd", "1"],
    ["init", undefined, undefined],
  ]);
});

test("where there are no ids, by host and number: the newest start before", async () => {
  const started = (id: string, at: Micros, host: string, pid: number, parent: number, name: string) =>
    eventOf(id, at, { "host.name": host, "process.pid": pid, "process.parent.pid": parent, "process.name": name, "event.type": ["start"] });
  const records = recordsOf([
    started("1", 0, "n1", 40, 1, "cron"),
    started("2", hour, "n1", 40, 7, "sshd"),
    started("3", hour + 1, "n2", 40, 7, "elsewhere"),
    started("4", 3 * hour, "n1", 40, 7, "later"),
    started("5", 2 * hour, "n1", 50, 40, "bash"),
  ]);
  const chain = await ancestryThen(eventOf("e", 2 * hour + 1, { "host.name": "n1", "process.pid": 50 }), records);
  expect(chain.map(({ name, pid }) => name ?? pid)).toEqual(["bash", "sshd", "7"]);
});

test("records that say a process started itself, or go in a circle, end", async () => {
  const records = recordsOf([process("1", 0, "a", "b", "a"), process("2", 0, "b", "a", "b"), process("3", 0, "c", "c", "c")]);
  expect((await ancestryThen(process("x", 1, "a", "b", "a"), records)).map(({ entity_id }) => entity_id)).toEqual(["a", "b"]);
  expect((await ancestryThen(process("x", 1, "c", "c", "c"), records)).map(({ entity_id }) => entity_id)).toEqual(["c"]);
  const long = Array.from({ length: 100 }, (_, i) => process(`${i}`, i, `p${i}`, `p${i - 1}`, `p${i}`));
  const bounded = recordsOf(long);
  expect(await ancestryThen(eventOf("e", 100, { "process.entity_id": "p99" }), bounded)).toHaveLength(16);
  expect(bounded.asked).toBe(16);
});

test("an event without process and address has no context, and asks for none", async () => {
  const records = recordsOf([]);
  const event = eventOf("e", 0, { "event.action": "ticked" });
  expect([await ancestryThen(event, records), await namesThen(event, records), records.asked]).toEqual([[], [], 0]);
});
