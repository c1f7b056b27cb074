/** What OpenSSH's server says. User names in it are chosen by the attacker, so every reading is anchored where sshd itself writes last. */
import type { Fields } from "@vedette/model";
import { setAuthentication, setSource, setSourcePort } from "./peer.ts";

/** Reads one message into ECS fields; false where it is none of sshd's known ones. */
export function readSshd(message: string, fields: Fields): boolean {
  let text = message;
  if (text.startsWith("error: ")) text = text.slice(7);
  else if (text.startsWith("fatal: ")) text = text.slice(7);
  if (text.endsWith(" [preauth]")) text = text.slice(0, -10);
  const first = text.slice(0, text.indexOf(" "));
  return readers.get(first)?.(text, fields) ?? false;
}

type Reader = (text: string, fields: Fields) => boolean;

/** `invalid user ` or `illegal user ` in front of a name that the system does not know. */
function setUser(fields: Fields, text: string): void {
  let name = text;
  if (text.startsWith("invalid user ") || text.startsWith("illegal user ")) {
    name = text.slice(13);
    fields["linux.auth.ssh.invalid_user"] = true;
  }
  if (name !== "") fields["user.name"] = name;
}

/**
 * Finds the last `<separator>ADDRESS port N<tail>` and sets the source from it; whatever the user name holds stands before it.
 * Linear: each step goes on to the left of the last.
 * @param tail what must follow the port, or be followed by `: `; empty: the end of the text
 * @returns where it starts, or -1
 */
function lastPeer(text: string, separator: string, tail: string, fields: Fields): number {
  for (let at = text.lastIndexOf(separator); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(separator, at - 1)) {
    const start = at + separator.length;
    const end = text.indexOf(" ", start);
    if (end < 0 || end - start > 255 || !text.startsWith(" port ", end)) continue;
    let stop = end + 6;
    while (stop < end + 12 && text.charCodeAt(stop) >= 0x30 && text.charCodeAt(stop) <= 0x39) stop++;
    if (stop === end + 6) continue;
    const after = stop + tail.length;
    if (!text.startsWith(tail, stop) || (after !== text.length && !text.startsWith(": ", after))) continue;
    setSource(fields, text.slice(start, end));
    setSourcePort(fields, text.slice(end + 6, stop));
    return at;
  }
  return -1;
}

/** `Accepted|Failed METHOD for USER from ADDRESS port N ssh2[: KEY]` (auth.c, auth_log). */
const login: Reader = (text, fields) => {
  const methodAt = text.indexOf(" ") + 1;
  const methodEnd = text.indexOf(" for ", methodAt);
  if (methodEnd < 0 || methodEnd - methodAt > 64) return false;
  // Host-based logins end with names that the client chose.
  const clientUser = text.indexOf(', client user "', methodEnd);
  const bounded = clientUser < 0 ? text : text.slice(0, clientUser);
  let at = lastPeer(bounded, " from ", " ssh2", fields);
  if (at < 0) at = lastPeer(bounded, " from ", " ssh1", fields);
  // Versions before 2.9 gave no port.
  if (at < 0) at = trailingPeer(bounded, " from ", fields);
  if (at < methodEnd) return false;
  setAuthentication(fields, "ssh_login", text.charCodeAt(0) === 0x41 ? "success" : "failure");
  fields["linux.auth.ssh.method"] = text.slice(methodAt, methodEnd);
  setUser(fields, at < methodEnd + 5 ? "" : text.slice(methodEnd + 5, at));
  setKey(text, at, fields);
  return true;
};

/** `ssh2: ED25519 SHA256:…` behind the peer: the key that was offered; a certificate goes on with ` ID …`, which its signer chose. */
function setKey(text: string, from: number, fields: Fields): void {
  const start = text.indexOf(" ssh2: ", from) + 7;
  const blank = text.indexOf(" ", start);
  if (start < 7 || blank < 0 || blank - start > 32) return;
  const stop = text.indexOf(" ", blank + 1);
  const key = text.slice(blank + 1, stop < 0 ? undefined : stop);
  if (key.length > 128 || !(key.startsWith("SHA256:") || key.startsWith("MD5:") || /^[0-9a-f]{2}(?::[0-9a-f]{2}){15}$/.test(key))) return;
  fields["linux.auth.ssh.key_type"] = text.slice(start, blank);
  fields["linux.auth.ssh.key_fingerprint"] = key;
}

/** `Invalid user X from ADDRESS[ port N]`: no password was tried yet. */
const invalidUser: Reader = (text, fields) => {
  if (!text.startsWith("user ", 8)) return false;
  const at = trailingPeer(text, " from ", fields);
  if (at < 0) return false;
  setAuthentication(fields, "ssh_invalid_user", "failure");
  fields["linux.auth.ssh.invalid_user"] = true;
  if (at > 13) fields["user.name"] = text.slice(13, at);
  return true;
};

/** Reads `<separator>ADDRESS[ port N]` at the end of the text; where the separator stands, or -1. */
function trailingPeer(text: string, separator: string, fields: Fields): number {
  const withPort = lastPeer(text, separator, "", fields);
  if (withPort >= 0) return withPort;
  const at = text.lastIndexOf(separator);
  if (at < 0) return -1;
  setSource(fields, text.slice(at + separator.length));
  return at;
}

/** `… [invalid user X|authenticating user X|user X ]ADDRESS[ port N]` at the end. */
function trailingUserAndPeer(text: string, start: number, fields: Fields): boolean {
  let rest = text.slice(start);
  const colon = rest.indexOf(": ");
  const port = rest.lastIndexOf(
    " port ",
    colon < 0 || rest.startsWith("invalid user ") || rest.startsWith("authenticating user ") ? undefined : colon,
  );
  if (port >= 0) {
    const stop = rest.indexOf(":", port);
    setSourcePort(fields, rest.slice(port + 6, stop < 0 ? undefined : stop).trimEnd());
    rest = rest.slice(0, port);
  }
  const blank = rest.lastIndexOf(" ");
  setSource(fields, rest.slice(blank + 1));
  if (blank < 0) return true;
  const user = rest.slice(0, blank);
  setUser(fields, user.startsWith("authenticating user ") ? user.slice(20) : user.startsWith("user ") ? user.slice(5) : user);
  return true;
}

function disconnect(fields: Fields): void {
  fields["event.category"] = "session";
  fields["event.type"] = "end";
  fields["event.action"] = "ssh_disconnect";
}

/** `Connection closed|reset by …`, `Connection from A port N on B port M`. */
const connection: Reader = (text, fields) => {
  for (const prefix of ["Connection closed by ", "Connection reset by "]) {
    if (!text.startsWith(prefix)) continue;
    disconnect(fields);
    return trailingUserAndPeer(text, prefix.length, fields);
  }
  if (!text.startsWith("Connection from ")) return false;
  fields["event.category"] = "network";
  fields["event.type"] = ["connection", "start"];
  fields["event.action"] = "ssh_connection";
  return leadingPeer(text, 16, fields);
};

/** `ADDRESS[ port N]` at the start, before anything that the other side chose. */
function leadingPeer(text: string, start: number, fields: Fields): boolean {
  const end = endOfWord(text, start);
  const word = text.slice(start, end);
  setSource(fields, word.endsWith(":") ? word.slice(0, -1) : word);
  if (text.startsWith(" port ", end)) {
    let stop = end + 6;
    while (text.charCodeAt(stop) >= 0x30 && text.charCodeAt(stop) <= 0x39 && stop < end + 12) stop++;
    setSourcePort(fields, text.slice(end + 6, stop));
  }
  return true;
}
function endOfWord(text: string, start: number): number {
  const blank = text.indexOf(" ", start);
  return blank < 0 ? text.length : blank;
}

/** `Received disconnect from ADDRESS[ port N]:11: reason`: the reason is the client's, the address stands before it. */
const received: Reader = (text, fields) => {
  if (!text.startsWith("Received disconnect from ")) return false;
  disconnect(fields);
  return leadingPeer(text, 25, fields);
};

const disconnected: Reader = (text, fields) => {
  if (!text.startsWith("Disconnected from ")) return false;
  disconnect(fields);
  return trailingUserAndPeer(text, 18, fields);
};

/** `Disconnecting [invalid user X ADDRESS port N]: Too many authentication failures[ for X]`. */
const disconnecting: Reader = (text, fields) => {
  disconnect(fields);
  const reason = text.lastIndexOf(": ");
  const start = text.indexOf(" ") + 1;
  if (reason > start && !text.startsWith("Disconnecting: ")) trailingUserAndPeer(text.slice(0, reason), start, fields);
  const tooMany = text.indexOf("Too many authentication failures", Math.max(reason, 0));
  if (tooMany < 0) return true;
  setAuthentication(fields, "ssh_max_attempts", "failure");
  const named = text.startsWith(" for ", tooMany + 32);
  if (named) setUser(fields, text.slice(tooMany + 37));
  return true;
};

/** `maximum authentication attempts exceeded for X from ADDRESS port N ssh2`. */
const maximum: Reader = (text, fields) => {
  if (!text.startsWith("maximum authentication attempts exceeded for ")) return false;
  const at = lastPeer(text, " from ", " ssh2", fields);
  setAuthentication(fields, "ssh_max_attempts", "failure");
  if (at > 45) setUser(fields, text.slice(45, at));
  return true;
};

/** `User X from ADDRESS not allowed because …`; `User X not allowed because …`. */
const notAllowed: Reader = (text, fields) => {
  const because = text.lastIndexOf(" not allowed because ");
  if (because < 5) return false;
  setAuthentication(fields, "ssh_login_denied", "failure");
  const head = text.slice(0, because);
  const at = trailingPeer(head, " from ", fields);
  fields["user.name"] = head.slice(5, at < 0 ? undefined : at);
  return true;
};

/** `Access denied for user X by PAM account configuration`: the password was right, the account may not come here. */
const accountDenied: Reader = (text, fields) => {
  const by = text.lastIndexOf(" by PAM account configuration");
  if (!text.startsWith("Access denied for user ") || by < 23) return false;
  setAuthentication(fields, "ssh_login_denied", "failure");
  fields["user.name"] = text.slice(23, by);
  return true;
};

/** `PAM: REASON for [illegal user ]X from HOST[ via ADDRESS]`; `PAM N more authentication failures; …` is PAM's own. */
const pam: Reader = (text, fields) => {
  if (!text.startsWith("PAM: ")) return false;
  const forAt = text.indexOf(" for ");
  const via = text.lastIndexOf(" via ");
  const head = via > 0 ? text.slice(0, via) : text;
  const from = head.lastIndexOf(" from ");
  if (forAt < 0 || from < forAt) return false;
  setAuthentication(fields, "ssh_login", "failure");
  setSource(fields, head.slice(from + 6));
  setUser(fields, head.slice(forAt + 5, Math.max(forAt + 5, from)));
  return true;
};

/** Scans and broken clients: `Did not receive identification string from`, `Bad protocol version identification '…' from`. */
const probe: Reader = (text, fields) => {
  const known = text.startsWith("Did not receive identification string from ") || text.startsWith("Bad protocol version identification ");
  if (!known || trailingPeer(text, " from ", fields) < 0) return false;
  scan(fields);
  return true;
};
function scan(fields: Fields): void {
  fields["event.category"] = "network";
  fields["event.type"] = ["connection", "denied"];
  fields["event.action"] = "ssh_probe";
}

const unable: Reader = (text, fields) => {
  if (!text.startsWith("Unable to negotiate ")) return false;
  scan(fields);
  return text.startsWith("Unable to negotiate with ") ? leadingPeer(text, 25, fields) : true;
};

/** `banner exchange: Connection from ADDRESS port N: …`, `ssh_dispatch_run_fatal: Connection from ADDRESS port N: …`, `kex_exchange_identification: …`. */
const exchange: Reader = (text, fields) => {
  scan(fields);
  const at = text.indexOf("Connection from ");
  return at < 0 ? true : leadingPeer(text, at + 16, fields);
};

/** `drop connection #N from [ADDRESS]:PORT on [ADDRESS]:PORT past MaxStartups|penalty: …`. */
const dropped: Reader = (text, fields) => {
  const from = text.startsWith("drop connection #") ? text.indexOf(" from [") : -1;
  const close = text.indexOf("]:", from);
  if (from < 0 || from > 32 || close < 0) return false;
  scan(fields);
  setSource(fields, text.slice(from + 7, close));
  setSourcePort(fields, text.slice(close + 2, endOfWord(text, close)));
  const reason = text.indexOf(" penalty: ", close);
  if (reason > 0) fields["event.reason"] = text.slice(reason + 10);
  return true;
};

/** `Postponed METHOD for USER from ADDRESS port N ssh2`: another step of the same attempt is to come. */
const postponed: Reader = (text, fields) => {
  const forAt = text.indexOf(" for ");
  const at = lastPeer(text, " from ", " ssh2", fields);
  if (forAt < 0 || at < forAt) return false;
  fields["event.category"] = "authentication";
  fields["event.type"] = "info";
  fields["event.action"] = "ssh_login_postponed";
  setUser(fields, text.slice(forAt + 5, at));
  return true;
};

/** `input_userauth_request: invalid user X`: what versions before 7.5 said beside `Invalid user X from …`. */
const requested: Reader = (text, fields) => {
  if (!text.startsWith("input_userauth_request: ")) return false;
  fields["event.category"] = "authentication";
  fields["event.type"] = "info";
  fields["event.action"] = "ssh_user_unknown";
  setUser(fields, text.slice(24));
  return true;
};

/** `Close session: user X from ADDRESS port N id 0`. */
const closing: Reader = (text, fields) => {
  const id = text.lastIndexOf(" id ");
  if (!text.startsWith("Close session: user ") || id < 0) return false;
  disconnect(fields);
  const at = lastPeer(text.slice(0, id), " from ", "", fields);
  if (at > 20) fields["user.name"] = text.slice(20, at);
  return true;
};

/** `Timeout before authentication for ADDRESS port N`, `… for connection from ADDRESS to …`; `Timeout, client not responding from user X ADDRESS port N`. */
const timeout: Reader = (text, fields) => {
  if (text.startsWith("Timeout, client not responding from ")) {
    disconnect(fields);
    return trailingUserAndPeer(text, 36, fields);
  }
  if (!text.startsWith("Timeout before authentication for ")) return false;
  scan(fields);
  return leadingPeer(text, text.startsWith("connection from ", 34) ? 50 : 34, fields);
};

/** `reverse mapping checking getaddrinfo for NAME [ADDRESS] failed`, `Address A maps to NAME, but …`: the name is the attacker's DNS. */
const reverse: Reader = (text, fields) => {
  fields["event.category"] = "network";
  fields["event.type"] = "info";
  fields["event.action"] = "ssh_reverse_mapping";
  if (text.startsWith("Address ")) return leadingPeer(text, 8, fields);
  const open = text.lastIndexOf(" [");
  const close = text.indexOf("]", open);
  if (open > 0 && close > open) setSource(fields, text.slice(open + 2, close));
  return true;
};

const rootRefused: Reader = (text, fields) => {
  if (!text.startsWith("ROOT LOGIN REFUSED FROM ")) return false;
  setAuthentication(fields, "ssh_login_denied", "failure");
  fields["user.name"] = "root";
  return leadingPeer(text, 24, fields);
};

/** TCP wrappers: `refused connect from NAME (ADDRESS)`. */
const refused: Reader = (text, fields) => {
  if (!text.startsWith("refused connect from ")) return false;
  scan(fields);
  const open = text.lastIndexOf(" (");
  setSource(fields, open > 20 && text.endsWith(")") ? text.slice(open + 2, -1) : text.slice(21));
  return true;
};

/** `Starting session: shell on pts/0 for X from ADDRESS port N id 0`. */
const starting: Reader = (text, fields) => {
  if (!text.startsWith("Starting session: ")) return false;
  fields["event.category"] = "session";
  fields["event.type"] = "start";
  fields["event.action"] = "ssh_session";
  const id = text.lastIndexOf(" id ");
  const head = id > 0 ? text.slice(0, id) : text;
  const at = lastPeer(head, " from ", "", fields);
  const forAt = text.indexOf(" for ");
  if (at > forAt && forAt > 0) fields["user.name"] = text.slice(forAt + 5, at);
  return true;
};

/** OpenSSH 9.8's PerSourcePenalties: `srclimit_penalise: ipv4: new 192.0.2.7/32 deferred penalty of 5 seconds for penalty: failed authentication`. */
const penalised: Reader = (text, fields) => {
  const told = /^srclimit_penali[sz]e: (?:ipv[46]: )?\S{1,16} ([0-9a-fA-F.:]{2,45})(?:\/(\d{1,3}))? .{0,256}?penalty of /.exec(text);
  if (told === null) return false;
  scan(fields);
  // of IPv6 it is a whole network that is put off
  if (told[2] === undefined || told[2] === "32" || told[2] === "128") setSource(fields, told[1]!);
  else fields["source.address"] = `${told[1]}/${told[2]}`;
  return true;
};

const readers = new Map<string, Reader>([
  ["srclimit_penalise:", penalised],
  ["Accepted", login],
  ["Failed", login],
  ["Invalid", invalidUser],
  ["Illegal", invalidUser],
  ["Connection", connection],
  ["Received", received],
  ["Disconnected", disconnected],
  ["Disconnecting", disconnecting],
  ["Disconnecting:", disconnecting],
  ["maximum", maximum],
  ["User", notAllowed],
  ["PAM:", pam],
  ["Access", accountDenied],
  ["Did", probe],
  ["Bad", probe],
  ["Unable", unable],
  ["kex_exchange_identification:", exchange],
  ["ssh_dispatch_run_fatal:", exchange],
  ["banner", exchange],
  ["drop", dropped],
  ["Postponed", postponed],
  ["input_userauth_request:", requested],
  ["Close", closing],
  ["Timeout", timeout],
  ["Timeout,", timeout],
  ["reverse", reverse],
  ["Address", reverse],
  ["ROOT", rootRefused],
  ["refused", refused],
  ["Starting", starting],
]);
