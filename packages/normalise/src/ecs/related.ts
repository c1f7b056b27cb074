/** Gathers what an event names into ECS's `related.*`, by which one looks for an address or a user wherever it stands. Knows no format. */
import type { Fields, FieldValue } from "@vedette/model";

/**
 * Sets `related.ip`, `related.user`, `related.hosts` and `related.hash` where there is anything to name; call it when the other fields are set.
 * Each field is read by its own name, not from a list of them: every event comes by here, and V8 remembers where a name it sees in the text stands.
 */
export function relate(fields: Fields): void {
  let ips = add(undefined, fields["source.ip"]);
  ips = add(ips, fields["destination.ip"]);
  ips = add(ips, fields["client.ip"]);
  ips = add(ips, fields["server.ip"]);
  ips = add(ips, fields["host.ip"]);
  ips = add(ips, fields["source.nat.ip"]);
  ips = add(ips, fields["destination.nat.ip"]);
  ips = add(ips, fields["dns.resolved_ip"]);
  if (ips !== undefined) fields["related.ip"] = ips;
  let users = add(undefined, fields["user.name"]);
  users = add(users, fields["user.effective.name"]);
  users = add(users, fields["user.target.name"]);
  users = add(users, fields["source.user.name"]);
  users = add(users, fields["destination.user.name"]);
  if (users !== undefined) fields["related.user"] = users;
  // The other ends. The host an event comes from is in `host.name` of each anyway, and would be said twice of every event.
  const hosts = add(add(undefined, fields["source.domain"]), fields["destination.domain"]);
  if (hosts !== undefined) fields["related.hosts"] = hosts;
  let hashes = add(undefined, fields["file.hash.md5"]);
  hashes = add(hashes, fields["file.hash.sha1"]);
  hashes = add(hashes, fields["file.hash.sha256"]);
  hashes = add(hashes, fields["process.hash.sha256"]);
  hashes = add(hashes, fields["tls.server.hash.sha1"]);
  if (hashes !== undefined) fields["related.hash"] = hashes;
}

function add(found: string[] | undefined, value: FieldValue | undefined): string[] | undefined {
  if (value === undefined) return found;
  if (typeof value === "string") return addOne(found, value);
  let list = found;
  if (Array.isArray(value)) for (const one of value) if (typeof one === "string") list = addOne(list, one);
  return list;
}

function addOne(found: string[] | undefined, value: string): string[] | undefined {
  if (value === "") return found;
  if (found === undefined) return [value];
  if (!found.includes(value)) found.push(value);
  return found;
}
