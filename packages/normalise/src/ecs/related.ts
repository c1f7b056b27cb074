/** Gathers what an event names into ECS's `related.*`, by which one looks for an address or a user wherever it stands. Knows no format. */
import type { Fields, FieldValue } from "@vedette/model";

const addresses = [
  "source.ip",
  "destination.ip",
  "client.ip",
  "server.ip",
  "host.ip",
  "source.nat.ip",
  "destination.nat.ip",
  "dns.resolved_ip",
];
const users = ["user.name", "user.effective.name", "user.target.name", "source.user.name", "destination.user.name"];
/** The other ends. The host an event comes from is in `host.name` of each anyway, and would be said twice of every event. */
const hosts = ["source.domain", "destination.domain"];
const hashes = ["file.hash.md5", "file.hash.sha1", "file.hash.sha256", "process.hash.sha256", "tls.server.hash.sha1"];

/** Sets `related.ip`, `related.user`, `related.hosts` and `related.hash` where there is anything to name; call it when the other fields are set. */
export function relate(fields: Fields): void {
  gather(fields, "related.ip", addresses);
  gather(fields, "related.user", users);
  gather(fields, "related.hosts", hosts);
  gather(fields, "related.hash", hashes);
}

function gather(fields: Fields, target: string, sources: readonly string[]): void {
  let found: string[] | undefined;
  for (const source of sources) {
    const value = fields[source];
    if (value !== undefined) found = add(found, value);
  }
  if (found !== undefined) fields[target] = found;
}

function add(found: string[] | undefined, value: FieldValue): string[] | undefined {
  let list = found;
  for (const one of Array.isArray(value) ? value : [value]) {
    if (typeof one !== "string" || one === "") continue;
    if (list === undefined) list = [one];
    else if (!list.includes(one)) list.push(one);
  }
  return list;
}
