/** What the messages of Cisco's ASA and Firepower firewalls say: ends of a connection, users, what was done. Knows no header. */
import type { Fields, FieldValue } from "@vedette/model";
import { plainIp } from "../linux/peer.ts";
import { setUrl } from "../web/url.ts";

/** A message number's meaning; numbers that are not listed tell what their first word says. */
interface Meaning {
  readonly action: string;
  readonly category: FieldValue;
  readonly type: FieldValue;
  readonly outcome?: "success" | "failure" | "unknown";
}
const login: FieldValue = ["authentication", "network"];
const info: Meaning = { action: "firewall-rule", category: "network", type: "info" };
/** What the connection table reports of a rule's connections, under the action that ECS's firewall modules give it. */
const built: Meaning = { action: "firewall-rule", category: "network", type: ["connection", "start"] };
const torn: Meaning = { action: "firewall-rule", category: "network", type: ["connection", "end"] };
const created: Meaning = { action: "flow-creation", category: "network", type: ["connection", "start"] };
const expired: Meaning = { action: "flow-expiration", category: "network", type: ["connection", "end"] };
// The firewall did what its rule says, so denying is its success, as in ECS's own firewall modules.
const denied: Meaning = { action: "firewall-rule", category: "network", type: ["connection", "denied"], outcome: "success" };
const dropped: Meaning = { ...denied, outcome: "failure" };
const allowed: Meaning = { action: "firewall-rule", category: "network", type: ["connection", "allowed"], outcome: "success" };
const refused: Meaning = { action: "logon-failed", category: login, type: ["denied", "info"], outcome: "failure" };
const admitted: Meaning = { action: "logged-in", category: login, type: ["allowed", "info"], outcome: "success" };
const failed: Meaning = { action: "error", category: "network", type: "error", outcome: "failure" };
const configured: Meaning = { action: "configuration-change", category: "configuration", type: "change", outcome: "success" };

const meanings = new Map<string, Meaning>(
  (
    [
      [built, "302013 302015 302022 302024 302026 305011"],
      [created, "302020 302303"],
      [expired, "302014 302016 302018 302021 302304 302306 305012 609002"],
      [torn, "302023 302025 302027"],
      [
        denied,
        "106001 106002 106006 106007 106010 106012 106014 106015 106016 106017 106018 106020 106021 106022 106023 106027 106102 106103 313001 313004 313008 710003",
      ],
      [dropped, "110002 338004 338008 338204 710005 710006 733102"],
      [allowed, "304001 605005 606001"],
      [refused, "113005 113006 113015 113021 308001 605004 611102 716039 109006 109025 113007"],
      [admitted, "113004 113012 611101 734001 109005 109007 716038 113039"],
      [{ action: "client-vpn-disconnected", category: "network", type: ["connection", "end"] }, "113019 716002"],
      [{ action: "client-vpn-connected", category: "network", type: ["connection", "start"] }, "716001 722022 722051"],
      [{ action: "connection-started", category: "network", type: ["start", "connection"] }, "750002"],
      [{ ...info, outcome: "success" }, "713120"],
      [{ ...info, outcome: "failure" }, "713903"],
      [{ action: "bypass", category: "network", type: ["info", "change"], outcome: "unknown" }, "434004"],
      [{ action: "drop", category: "network", type: ["connection", "denied"], outcome: "unknown" }, "434002"],
      [{ action: "created", category: "network", type: ["info", "creation"], outcome: "success" }, "602303"],
      [{ action: "deleted", category: "network", type: ["info", "deletion"], outcome: "success" }, "602304"],
      [{ ...failed, action: "error" }, "713901 713902 713904 713905 750003 751001"],
      [configured, "111008 111010 111001 111003 111004 111005 111007"],
      [{ action: "command", category: "process", type: "info", outcome: "success" }, "111009"],
      [{ action: "user-created", category: "iam", type: ["user", "creation"], outcome: "success" }, "502101"],
      [{ action: "user-deleted", category: "iam", type: ["user", "deletion"], outcome: "success" }, "502102"],
      [{ action: "privilege-change", category: "iam", type: ["user", "change"], outcome: "success" }, "502103"],
      [
        { action: "threat-detected", category: ["network", "intrusion_detection"], type: "info" },
        "733100 733101 733103 400000 419002 338001 338002 338003",
      ],
    ] as const
  ).flatMap(([meaning, codes]) => codes.split(" ").map((code) => [code, meaning] as const)),
);

/** Sets everything the message of this number tells. */
export function readAsaMessage(code: string, message: string, fields: Fields): void {
  let meaning = meanings.get(code) ?? info;
  if (code === "106100") meaning = message.includes(" denied ") ? denied : allowed;
  fields["event.action"] = meaning.action;
  fields["event.category"] = meaning.category;
  fields["event.type"] = meaning.type;
  if (meaning.outcome !== undefined) fields["event.outcome"] = meaning.outcome;
  setTransport(fields, message);
  setEnds(fields, code, message);
  setUsers(fields, message);
  setRest(fields, code, message);
}

const transports = /\b(tcp|udp|icmp6|icmp|sctp|gre|esp)\b/i;
function setTransport(fields: Fields, message: string): void {
  const found = transports.exec(message.slice(0, 512));
  if (found !== null && found[1] !== undefined) fields["network.transport"] = found[1].toLowerCase();
  const direction = /\b(inbound|outbound)\b/i.exec(message.slice(0, 256));
  if (direction !== null) fields["network.direction"] = direction[1]!.toLowerCase();
}

interface End {
  readonly name: string | undefined;
  readonly host: string;
  port: number | undefined;
  readonly natIp: string | undefined;
  /** The botnet filter puts the name it looked up where others put the translated address. */
  readonly domain: string | undefined;
  readonly natPort: number | undefined;
  /** `DOMAIN\\[GROUP\\]USER`. */
  readonly user: string | undefined;
  /** The word before it: from, to, src, dst, faddr, gaddr, laddr, … */
  readonly word: string;
}

/** `[INTERFACE:]ADDRESS[/PORT][(USER)]`, and with a slash for the colon or brackets around the port. */
const named =
  /^(?<name>[\w.-]{1,64})[:/](?<host>[0-9a-fA-F:.]{2,45}?)(?:[/(:](?<port>\d{1,6}|[a-z]{2,16})\)?)?(?:\((?<user>[^)]{1,128})\))?[,.;:]?$/;
const bare = /^(?<host>[0-9a-fA-F:.]{2,45}?)(?:[/(:](?<port>\d{1,6}|[a-z]{2,16})\)?)?(?:\((?<user>[^)]{1,128})\))?[,.;:]?$/;
/** An end that the firewall knows by a name, which then has an interface and a port. */
const byName = /^(?<name>[\w.-]{1,64})[:/](?<host>[\w.-]{1,253})[/(](?<port>\d{1,6})\)?$/;
/** As `byName` where the word before it says that an end follows, as of ICMP. */
const byBareName = /^(?<host>[a-zA-Z][\w.-]{0,252})\/(?<port>\d{1,6})$/;
const nat = /^\((?<host>[\w.:-]{2,253}?)(?:[/(](?<port>\d{1,6}))?\)+[,.]?$/;
/** No message names more ends than these. */
const maxWords = 128;

/** The ends named in a message, in their order; words without a digit and a separator cannot be one. */
function endsOf(message: string): End[] {
  const ends: End[] = [];
  const words = message.split(" ", maxWords);
  for (let i = 0; i < words.length && ends.length < 4; i++) {
    const word = words[i]!;
    if (word.length > 128 || !/[.:]/.test(word) || !/\d/.test(word) || word.charCodeAt(0) === 0x28) continue;
    // VPN messages put addresses in angle brackets.
    const bracketed = /^<([0-9a-fA-F:.]{2,45})>/.exec(word)?.[1];
    if (bracketed !== undefined && words[i - 1] !== "IP") continue;
    let found = (bracketed === undefined ? named : bare).exec(bracketed ?? word)?.groups;
    let host = found === undefined ? undefined : plainIp(found["host"]!);
    if (host === undefined) {
      found = bare.exec(word)?.groups;
      host = found === undefined ? undefined : plainIp(found["host"]!);
    }
    if (host === undefined) {
      found = (/^[fgl]addr$/.test(words[i - 1] ?? "") ? byBareName : byName).exec(word)?.groups;
      host = found?.["host"];
    }
    if (found === undefined || host === undefined) continue;
    const mapped = nat.exec(words[i + 1] ?? "")?.groups;
    ends.push({
      name: found["name"],
      host,
      port: numeric(found["port"]),
      natIp: mapped === undefined ? undefined : plainIp(mapped["host"]!),
      domain: mapped?.["host"] !== undefined && /^[a-zA-Z][\w-]*\.[\w.-]+$/.test(mapped["host"]) ? mapped["host"] : undefined,
      natPort: numeric(mapped?.["port"]),
      user: found["user"]?.includes("\\") ? found["user"] : undefined,
      word: words[i - 1] ?? "",
    });
  }
  return ends;
}

const numeric = (text: string | undefined): number | undefined =>
  text === undefined || text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);

function setEnds(fields: Fields, code: string, message: string): void {
  if (code === "733100") return;
  // A refused ICMP error quotes the packet it is about, whose ports it tells.
  const quoted = message.indexOf("Original IP payload: ");
  const ends = endsOf(quoted < 0 ? message : message.slice(0, quoted));
  const inner = quoted < 0 ? [] : endsOf(message.slice(quoted + 21));
  for (const end of ends) end.port ??= inner.find((one) => one.host === end.host)?.port;
  // An ICMP connection names its far end first.
  const local = ends.find((end) => end.word === "laddr");
  const far = ends.find((end) => end.word === "faddr");
  let [first, second] = local !== undefined && far !== undefined ? [local, far] : ends;
  const server = /\bserver\s?=\s{0,2}([0-9a-fA-F:.]{2,45})/.exec(message);
  if (server !== null && plainIp(server[1]!) !== undefined) {
    const end = ends.find((one) => one.host === server[1]);
    second = end ?? {
      name: undefined,
      host: server[1]!,
      port: undefined,
      natIp: undefined,
      domain: undefined,
      natPort: undefined,
      user: undefined,
      word: "",
    };
    first = ends.find((one) => one !== end);
  } else if (/\bGroup =/.test(message)) first = ends.find((end) => end.word === "=" && message.includes(`IP = ${end.host}`));
  // The ASA names the outer end first; the one who opened an outbound connection is the inner.
  if (/^Built outbound (?:TCP|UDP) /.test(message)) [first, second] = [second, first];
  if (code === "304001" && second === undefined) second = urlEnd(message);
  const global = local === undefined ? undefined : ends.find((end) => end.word === "gaddr");
  if (global !== undefined && global.host !== local!.host) fields["source.nat.ip"] = global.host;
  setEnd(fields, "source", first, "ingress");
  setEnd(fields, "destination", second, "egress");
  const on = /\bon (?:interface (\S{1,64})|(\S{1,64}) interface)/.exec(message.slice(0, 1_024));
  if (on !== null) fields["observer.ingress.interface.name"] ??= (on[1] ?? on[2])!.replace(/[.:]$/, "");
}

/** `10.1.1.1 Accessed URL [user@]10.2.2.2:http://…`. */
function urlEnd(message: string): End | undefined {
  const at = message.indexOf("URL ");
  const colon = at < 0 ? -1 : message.indexOf(":http", at);
  if (colon < 0) return undefined;
  const text = message.slice(at + 4, colon);
  const host = plainIp(text.slice(text.lastIndexOf("@") + 1));
  return host === undefined
    ? undefined
    : { name: undefined, host, port: undefined, natIp: undefined, domain: undefined, natPort: undefined, user: undefined, word: "" };
}

function setEnd(fields: Fields, which: "source" | "destination", end: End | undefined, side: string): void {
  if (end === undefined) return;
  fields[plainIp(end.host) === undefined ? `${which}.domain` : `${which}.ip`] = end.host;
  if (end.port !== undefined) fields[`${which}.port`] = end.port;
  if (end.name !== undefined) fields[`observer.${side}.interface.name`] = end.name;
  if (end.domain !== undefined) fields[`${which}.domain`] = end.domain;
  if (end.natIp !== undefined && end.natIp !== end.host) fields[`${which}.nat.ip`] = end.natIp;
  if (end.natPort !== undefined && end.natPort !== end.port) fields[`${which}.nat.port`] = end.natPort;
}

/** In the order in which they are to be believed: quoted and bracketed names cannot run on. */
const users: readonly RegExp[] = [
  /\b[Uu]ser(?:name)? <([^>]{1,256})>/,
  /\b[Uu]ser ['"]([^'"]{1,256})['"]/,
  /\b[Uu]ser(?:name)?\s?=\s?([^\s,:)]{1,256})/,
  /\b(?:Uname|Username):\s?([^\s,]{1,256})/,
  /\b[Uu]ser ([^\s,<'"=]{1,256})/,
];
const groups = /\b[Gg]roup(?: <([^>]{1,256})>| ?= ?([^\s,]{1,256}))/;

function setUsers(fields: Fields, message: string): void {
  for (const pattern of users) {
    const found = pattern.exec(message);
    if (found === null || /^(?:authentication|priv|IP)$/.test(found[1]!)) continue;
    fields["user.name"] = found[1]!;
    break;
  }
  const owner = endsOf(message).find((end) => end.user !== undefined)?.user;
  if (owner !== undefined) {
    const parts = owner.split("\\", 4);
    fields["user.name"] ??= parts.at(-1)!;
    if (parts.length > 2) fields["group.name"] = parts[1]!;
  }
  const group = groups.exec(message);
  if (group !== null) fields["group.name"] = (group[1] ?? group[2])!;
}

function setRest(fields: Fields, code: string, message: string): void {
  const rule = /by access-group "([^"]{1,256})"/.exec(message) ?? /^access-list (\S{1,256})/.exec(message);
  if (rule !== null) fields["rule.name"] = rule[1]!;
  const connection = /\bconnection (\d{1,20})\b/.exec(message);
  if (connection !== null) fields["cisco.asa.connection_id"] = connection[1]!;
  const bytes = /\bbytes (\d{1,15})\b/.exec(message);
  if (bytes !== null) fields["network.bytes"] = Number(bytes[1]);
  const sent = /Bytes xmt: (\d{1,15}), Bytes rcv: (\d{1,15})/.exec(message);
  if (sent !== null) {
    fields["source.bytes"] = Number(sent[1]);
    fields["destination.bytes"] = Number(sent[2]);
  }
  const lasted = /\b[Dd]uration:? (?:(\d{1,4})h?:(\d{1,2})m?:(\d{1,2})s?)/.exec(message);
  if (lasted !== null) fields["event.duration"] = (Number(lasted[1]) * 3600 + Number(lasted[2]) * 60 + Number(lasted[3])) * 1_000_000_000;
  const reason = /\b[Rr]eason:? ?[=-]? ?([^:;]{1,256}?)(?:: server|$)/.exec(message);
  if (reason !== null) fields["event.reason"] = reason[1]!.trim();
  const why = code.startsWith("302") ? /\bbytes \d{1,15} (\D[^(]{1,128}?)(?: \(|$)/.exec(message) : null;
  if (why !== null) fields["event.reason"] ??= why[1]!;
  const ended =
    /(?:terminated|closing connection): ([^.]{1,128})\.?$/.exec(message) ??
    (code.startsWith("713") ? /(?:^|(?:Group|IP) = [^,]{1,64}, )([^,=]{1,256}?)(?: \(msgid.{0,64}|\. .{1,64})?$/.exec(message) : null);
  if (ended !== null) fields["event.reason"] ??= ended[1]!;
  const unmet = /^(Failed to locate [a-z ]{1,64}?)(?: for |$)|Username:\S{1,128} (.{1,256})$/.exec(message.slice(0, 512));
  if (unmet !== null) fields["event.reason"] ??= (unmet[1] ?? unmet[2])!;
  const told = /\bSVC Message: (.{1,256}?)\.?$/.exec(message);
  if (told !== null) fields["event.reason"] ??= told[1]!;
  const command = /executed (?:cmd: )?'?([^']{1,1024})'?$/.exec(message);
  if (command !== null && code.startsWith("1110")) fields["process.command_line"] = command[1]!;
  if (code === "304001") {
    const url = message.indexOf("http", message.indexOf("URL "));
    if (url > 0) setUrl(fields, message.slice(url));
  }
}
