/**
 * Which name and which machine an address stood for when an event happened: by the lease that held then, and by what its user had asked the name
 * servers for. Addresses are lent to others later, and one address serves many names, so no table of now can say it. Knows no store.
 */
import type { Event, Fields, Micros } from "@vedette/model";
import { all, day, firstText, has, is, type Records } from "./records.ts";

export interface NameThen {
  readonly address: string;
  /** Absent where the lease tells the machine only. */
  readonly name?: string;
  readonly by: "dhcp" | "dns";
  readonly mac?: string;
  /** When the record was made that says so. */
  readonly at: Micros;
  /** When the lease ends, or the answer may be asked for again. */
  readonly until?: Micros;
  /** The record's id. */
  readonly event: string;
}

/** How records of leases name their parts: servers' own logs (dhcpd, Kea, dnsmasq), and sensors that saw them on the wire. */
const leases = [
  { address: "dhcp.assigned_ip", names: ["dhcp.hostname"], seconds: "dhcp.lease_time" },
  { address: "zeek.dhcp.assigned_addr", names: ["zeek.dhcp.host_name", "zeek.dhcp.client_fqdn"], seconds: "zeek.dhcp.lease_time" },
  { address: "suricata.eve.dhcp.assigned_ip", names: ["host.hostname"], seconds: "suricata.eve.dhcp.lease_time" },
] as const;
/** The event's own addresses, whose first it is. */
const ends = ["source.ip", "destination.ip", "client.ip", "server.ip", "host.ip"] as const;
const maxAddresses = 4;
/** A lease that tells no time, and the longest that is looked for: few servers lend for longer. */
const usualLease: Micros = day;
const longestLease: Micros = 8 * day;
/** Programs keep answers for longer than they should, but not for days. */
const longestAnswer: Micros = day;

export async function namesThen(event: Event, records: Records): Promise<readonly NameThen[]> {
  const addresses = new Set(ends.flatMap((end) => firstText(event.fields[end]) ?? []));
  const asker = firstText(event.fields["source.ip"]) ?? firstText(event.fields["client.ip"]);
  const found: (NameThen | undefined)[] = [];
  for (const address of [...addresses].slice(0, maxAddresses))
    found.push(await leaseOf(address, event.time, records), await answerWith(address, asker, event.time, records));
  return found.filter((one) => one !== undefined);
}

async function leaseOf(address: string, time: Micros, records: Records): Promise<NameThen | undefined> {
  for (const form of leases) {
    const where = is(form.address, address);
    const lease = await records.first({ where, from: time - longestLease, to: time, order: "newest" });
    if (lease === undefined) continue;
    const until = lease.time + (Number(firstText(lease.fields[form.seconds])) * 1_000_000 || usualLease);
    if (until < time) return undefined;
    const mac = firstText(lease.fields["source.mac"]);
    const name = nameIn(lease.fields, form.names) ?? (mac && (await nameBefore(form, mac, lease.time, records)));
    return { address, ...(name && { name }), by: "dhcp", ...(mac && { mac }), at: lease.time, until, event: lease.id };
  }
  return undefined;
}

const nameIn = (fields: Fields, names: readonly string[]): string | undefined =>
  names.map((field) => firstText(fields[field])).find((name) => name !== undefined);

/** A machine that renews its lease does not always tell its name again. */
async function nameBefore({ names }: (typeof leases)[number], mac: string, time: Micros, records: Records): Promise<string | undefined> {
  const where = all(is("source.mac", mac), { op: "or", of: names.map(has) });
  const told = await records.first({ where, from: time - longestLease, to: time, order: "newest" });
  return told && nameIn(told.fields, names);
}

/** The name that was answered with this address: to whoever made the connection, else to anybody. */
async function answerWith(address: string, asker: string | undefined, time: Micros, records: Records): Promise<NameThen | undefined> {
  // nobody looks up an address to be it
  if (address === asker) return undefined;
  const answered = all(is("dns.answers.data", address), has("dns.question.name"));
  const range = { from: time - longestAnswer, to: time, order: "newest" } as const;
  const own = asker === undefined ? undefined : await records.first({ where: all(answered, is("source.ip", asker)), ...range });
  const answer = own ?? (await records.first({ where: answered, ...range }));
  if (answer === undefined) return undefined;
  const ttl = Number(firstText(answer.fields["dns.answers.ttl"]));
  return {
    address,
    name: firstText(answer.fields["dns.question.name"])!,
    by: "dns",
    at: answer.time,
    ...(ttl > 0 && { until: answer.time + ttl * 1_000_000 }),
    event: answer.id,
  };
}
