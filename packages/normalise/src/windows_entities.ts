/** Writes processes, users, addresses and hashes of Windows events as ECS has them, and collects `related.*`. Knows no event code. */
import type { Fields } from "@vedette/model";
import { plainIp } from "./linux/peer.ts";

/** Prefix of the process an event names. */
export type Role = "process" | "process.parent";

const roles = {
  process: { executable: "process.executable", name: "process.name", pid: "process.pid", entity: "process.entity_id" },
  "process.parent": {
    executable: "process.parent.executable",
    name: "process.parent.name",
    pid: "process.parent.pid",
    entity: "process.parent.entity_id",
  },
};

/** The parts that are known of a process; a GUID is written in braces and lower case, however the tool printed it. */
export function putProcess(fields: Fields, role: Role, image: string | undefined, pid: number | undefined, guid: string | undefined): void {
  const keys = roles[role];
  if (image !== undefined) {
    fields[keys.executable] = image;
    const name = image.slice(Math.max(image.lastIndexOf("\\"), image.lastIndexOf("/")) + 1);
    if (name !== "") fields[keys.name] = name;
  }
  if (pid !== undefined) fields[keys.pid] = pid;
  if (guid !== undefined) fields[keys.entity] = (guid.charCodeAt(0) === 0x7b ? guid : `{${guid}}`).toLowerCase();
}

/** `DOMAIN\\name` is taken apart where no domain is given. */
export function putUser(fields: Fields, related: Related, account: string, domain: string | undefined, sid: string | undefined): void {
  const slash = domain === undefined ? account.indexOf("\\") : -1;
  const name = account.slice(slash + 1);
  const realm = slash > 0 ? account.slice(0, slash) : domain;
  if (name !== "") {
    fields["user.name"] = name;
    related.user(name);
  }
  if (realm !== undefined) fields["user.domain"] = realm;
  // The nobody SID: the account was not resolved.
  if (sid !== undefined && sid !== "S-1-0-0") fields["user.id"] = sid;
}

export function putConnection(
  fields: Fields,
  related: Related,
  source: string | undefined,
  sourcePort: string | undefined,
  destination: string | undefined,
  destinationPort: string | undefined,
): void {
  if (source !== undefined) putEnd(fields, related, "source.ip", "source.address", source);
  if (destination !== undefined) putEnd(fields, related, "destination.ip", "destination.address", destination);
  const from = portOf(sourcePort);
  const to = portOf(destinationPort);
  if (from !== undefined) fields["source.port"] = from;
  if (to !== undefined) fields["destination.port"] = to;
}

function putEnd(fields: Fields, related: Related, ipKey: string, addressKey: string, text: string): void {
  const address = related.address(text);
  fields[address === undefined ? addressKey : ipKey] = address ?? text;
}

/** Windows writes port 0 where there is none. */
function portOf(text: string | undefined): number | undefined {
  const port = text === undefined || text.length > 5 ? Number.NaN : Number(text);
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined;
}

const hashKeys = {
  process: hashKeysOf("process"),
  dll: hashKeysOf("dll"),
  file: hashKeysOf("file"),
};
function hashKeysOf(owner: string): ReadonlyMap<string, string> {
  return new Map([
    ["MD5", `${owner}.hash.md5`],
    ["SHA1", `${owner}.hash.sha1`],
    ["SHA256", `${owner}.hash.sha256`],
    ["IMPHASH", `${owner}.pe.imphash`],
  ]);
}

/** Sysmon's `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`, in lower case as threat intelligence has them. */
export function putHashes(fields: Fields, related: Related, owner: "process" | "dll" | "file", hashes: string): void {
  const keys = hashKeys[owner];
  let at = 0;
  while (at < hashes.length) {
    const comma = hashes.indexOf(",", at);
    const end = comma < 0 ? hashes.length : comma;
    const part = hashes.slice(at, end);
    const equals = part.indexOf("=");
    const key = equals > 0 ? keys.get(part.slice(0, equals)) : undefined;
    // The longest, SHA-256, has 64 digits.
    if (key !== undefined && part.length - equals <= 65) {
      const hash = part.slice(equals + 1).toLowerCase();
      fields[key] = hash;
      related.hash(hash);
    }
    at = end + 1;
  }
}

/** What an event mentions, for pivoting: filled while it is derived, written once. */
export class Related {
  readonly #users: string[] = [];
  readonly #addresses: string[] = [];
  readonly #hosts: string[] = [];
  readonly #hashes: string[] = [];

  user(name: string): void {
    if (!this.#users.includes(name)) this.#users.push(name);
  }
  host(name: string): void {
    if (!this.#hosts.includes(name)) this.#hosts.push(name);
  }
  hash(hash: string): void {
    if (!this.#hashes.includes(hash)) this.#hashes.push(hash);
  }
  /** Adds an IP address and gives it as ECS has it; undefined, and nothing added, for other text (`LOCAL`, a name). */
  address(text: string): string | undefined {
    const address = plainIp(text);
    if (address !== undefined && !this.#addresses.includes(address)) this.#addresses.push(address);
    return address;
  }

  into(fields: Fields): void {
    if (this.#users.length > 0) fields["related.user"] = this.#users;
    if (this.#addresses.length > 0) fields["related.ip"] = this.#addresses;
    if (this.#hosts.length > 0) fields["related.hosts"] = this.#hosts;
    if (this.#hashes.length > 0) fields["related.hash"] = this.#hashes;
  }
}
