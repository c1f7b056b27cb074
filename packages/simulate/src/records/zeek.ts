/** Zeek's logs, as its JSON writer (with `_path`, as shippers get them) or its tab-separated one writes them. Knows no traffic. */
import type { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { dayStamp, epochStamp, secondText } from "../stamps.ts";

export type ZeekForm = "json" | "tsv";
type Value = string | number | boolean | readonly (string | number)[] | undefined;

/** `name:type` of every column, in the order of Zeek 7's own logs. */
const columns = {
  conn: "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port proto:enum service:string duration:interval orig_bytes:count resp_bytes:count conn_state:string local_orig:bool local_resp:bool missed_bytes:count history:string orig_pkts:count orig_ip_bytes:count resp_pkts:count resp_ip_bytes:count tunnel_parents:set[string]",
  dns: "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port proto:enum trans_id:count rtt:interval query:string qclass:count qclass_name:string qtype:count qtype_name:string rcode:count rcode_name:string AA:bool TC:bool RD:bool RA:bool Z:count answers:vector[string] TTLs:vector[interval] rejected:bool",
  ssl: "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port version:string cipher:string curve:string server_name:string resumed:bool last_alert:string next_protocol:string established:bool ssl_history:string cert_chain_fps:vector[string] client_cert_chain_fps:vector[string] sni_matches_cert:bool validation_status:string ja3:string ja3s:string",
  ssh: "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port version:count auth_success:bool auth_attempts:count direction:enum client:string server:string cipher_alg:string mac_alg:string compression_alg:string kex_alg:string host_key_alg:string host_key:string",
  files:
    "ts:time fuid:string uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port source:string depth:count analyzers:set[string] mime_type:string filename:string duration:interval local_orig:bool is_orig:bool seen_bytes:count total_bytes:count missing_bytes:count overflow_bytes:count timedout:bool parent_fuid:string md5:string sha1:string sha256:string extracted:string",
  notice:
    "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port fuid:string file_mime_type:string file_desc:string proto:enum note:enum msg:string sub:string src:addr dst:addr p:port n:count peer_descr:string actions:set[enum] email_dest:set[string] suppress_for:interval",
  netcontrol_shunt: "ts:time rule_id:string f.src_h:addr f.src_p:port f.dst_h:addr f.dst_p:port expire:interval location:string",
} as const;
export type ZeekLog = keyof typeof columns;
export const zeekLogs = Object.keys(columns) as readonly ZeekLog[];

interface Column {
  readonly name: string;
  readonly type: string;
  readonly key: string;
  /** Addresses, names of Zeek's own and ids: nothing in them is ever escaped. */
  readonly plain: boolean;
  /** In TSV an unset set or vector is what Zeek calls empty. */
  readonly many: boolean;
}
const tables = Object.fromEntries(
  Object.entries(columns).map(([log, text]) => [
    log,
    text.split(" ").map((column): Column => {
      const at = column.indexOf(":");
      const [name, type] = [column.slice(0, at), column.slice(at + 1)];
      const plain = type === "addr" || type === "enum" || name === "uid";
      return { name, type, key: `,"${name}":`, plain, many: /^(set|vector)/.test(type) };
    }),
  ]),
) as unknown as { readonly [log in ZeekLog]: readonly Column[] };

/** What stands at the head of a tab-separated file. */
export const zeekHeader = (log: ZeekLog, opened: Micros): string =>
  [
    "#separator \\x09",
    "#set_separator\t,",
    "#empty_field\t(empty)",
    "#unset_field\t-",
    `#path\t${log}`,
    `#open\t${secondText(opened).replaceAll(/[T:]/g, "-")}`,
    `#fields\t${tables[log].map((c) => c.name).join("\t")}`,
    `#types\t${tables[log].map((c) => c.type).join("\t")}`,
  ].join("\n");
export const zeekFooter = (closed: Micros): string => `#close\t${dayStamp(closed)}-${secondText(closed).slice(11).replaceAll(":", "-")}`;

/** Longer texts go to `JSON.stringify` at once, which is faster for them. */
function quoted(text: string): string {
  if (text.length > 40) return JSON.stringify(text);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return JSON.stringify(text);
  }
  return `"${text}"`;
}
const number = (value: number): number => (Number.isInteger(value) ? value : Math.round(value * 1e6) / 1e6);

/** One row; `values` follow the log's columns without the first, the time. */
export function zeekLine(form: ZeekForm, log: ZeekLog, time: Micros, values: readonly Value[]): string {
  const table = tables[log];
  return form === "json" ? jsonLine(log, table, time, values) : tsvLine(table, time, values);
}

function jsonLine(log: ZeekLog, table: readonly Column[], time: Micros, values: readonly Value[]): string {
  let line = `{"_path":"${log}","ts":${epochStamp(time)}`;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === undefined) continue;
    const { key, plain } = table[i + 1]!;
    if (typeof value === "string") line += plain ? `${key}"${value}"` : key + quoted(value);
    else if (typeof value === "number") line += key + number(value);
    else if (typeof value === "boolean") line += key + value;
    else line += `${key}[${value.map((one) => (typeof one === "string" ? quoted(one) : number(one))).join(",")}]`;
  }
  return `${line}}`;
}

function tsvLine(table: readonly Column[], time: Micros, values: readonly Value[]): string {
  let line = epochStamp(time);
  for (let i = 1; i < table.length; i++) {
    const value = values[i - 1];
    const { many, type } = table[i]!;
    line += "\t";
    if (value === undefined) line += many && type.startsWith("set") ? "(empty)" : "-";
    else if (typeof value === "boolean") line += value ? "T" : "F";
    else if (typeof value === "number") line += type === "interval" ? value.toFixed(6) : number(value);
    else if (typeof value === "string") line += escaped(value);
    else line += value.length === 0 ? "(empty)" : value.map((one) => (typeof one === "number" ? one.toFixed(6) : escaped(one))).join(",");
  }
  return line;
}
const escaped = (text: string): string => (text === "" ? "(empty)" : text.replaceAll("\t", "\\x09").replaceAll("\n", "\\x0a"));

export interface Flow {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly port: number;
}
const ends = (uid: string, f: Flow): readonly Value[] => [uid, f.from, f.fromPort, f.to, f.port];

const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/** All pairs of letters: one draw gives four, and every connection has an id. */
const pairs = Array.from(letters).flatMap((a) => Array.from(letters, (b) => a + b));
function uid(kind: "C" | "F", chance: Chance): string {
  let text: string = kind;
  for (let i = 0; i < 4; i++) {
    const drawn = Math.floor(chance.next() * pairs.length * pairs.length);
    text += pairs[Math.floor(drawn / pairs.length)]! + pairs[drawn % pairs.length]!;
  }
  return text + chance.pick(pairs)[0]!;
}
export const zeekUid = (chance: Chance): string => uid("C", chance);
export const fileUid = (chance: Chance): string => uid("F", chance);

const isInside = (address: string): boolean => address.startsWith("10.");

export interface Connection extends Flow {
  readonly uid: string;
  readonly proto: "tcp" | "udp" | "icmp";
  readonly service?: string;
  /** Seconds; absent for a connection without an answer. */
  readonly duration?: number;
  readonly sent: number;
  readonly received: number;
  readonly state?: string;
  readonly history?: string;
}

export function connValues(c: Connection): readonly Value[] {
  const state = c.state ?? "SF";
  const failed = c.duration === undefined;
  const sentPackets = failed ? 1 : Math.ceil(c.sent / 1_200) + (c.proto === "tcp" ? 4 : 1);
  const receivedPackets = failed ? (state === "REJ" ? 1 : 0) : Math.ceil(c.received / 1_200) + (c.proto === "tcp" ? 3 : 1);
  return [
    ...ends(c.uid, c),
    c.proto,
    c.service,
    c.duration,
    failed ? undefined : c.sent,
    failed ? undefined : c.received,
    state,
    isInside(c.from),
    isInside(c.to),
    0,
    c.history ?? (failed ? (state === "REJ" ? "Sr" : "S") : c.proto === "tcp" ? "ShADadFf" : "Dd"),
    sentPackets,
    sentPackets * 40 + c.sent,
    receivedPackets,
    receivedPackets * 40 + c.received,
  ];
}

export interface Question {
  readonly uid: string;
  readonly flow: Flow;
  readonly id: number;
  readonly name: string;
  readonly type?: "A" | "AAAA" | "PTR" | "TXT";
  readonly answers?: readonly string[];
  readonly code?: "NOERROR" | "NXDOMAIN" | "SERVFAIL";
}
const types = { A: 1, AAAA: 28, PTR: 12, TXT: 16 };
const codes = { NOERROR: 0, NXDOMAIN: 3, SERVFAIL: 2 };
export function dnsValues(q: Question): readonly Value[] {
  const type = q.type ?? "A";
  const code = q.code ?? "NOERROR";
  const answered = q.answers !== undefined && q.answers.length > 0;
  return [
    ...ends(q.uid, q.flow),
    "udp",
    q.id,
    0.0042,
    q.name,
    1,
    "C_INTERNET",
    types[type],
    type,
    codes[code],
    code,
    false,
    false,
    true,
    true,
    0,
    answered ? q.answers : undefined,
    answered ? q.answers!.map(() => 300) : undefined,
    false,
  ];
}

/** A client's TLS: what its hello looks like to JA3, and what it settles on. */
export interface Tls {
  readonly version: "TLSv12" | "TLSv13";
  readonly cipher: string;
  readonly ja3: string;
}
export const sslValues = (uid: string, flow: Flow, name: string | undefined, tls: Tls, ja3s: string, trusted = true): readonly Value[] => [
  ...ends(uid, flow),
  tls.version,
  tls.cipher,
  "x25519",
  name,
  false,
  undefined,
  "http/1.1",
  true,
  tls.version === "TLSv13" ? "CsiI" : "CsxknGIi",
  undefined,
  undefined,
  tls.version === "TLSv13" ? undefined : trusted,
  tls.version === "TLSv13" ? undefined : trusted ? "ok" : "self signed certificate",
  tls.ja3,
  ja3s,
];

export const sshValues = (uid: string, flow: Flow, success: boolean | undefined, attempts: number, client: string): readonly Value[] => [
  ...ends(uid, flow),
  2,
  success,
  attempts,
  isInside(flow.from) ? "OUTBOUND" : "INBOUND",
  client,
  "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
  "chacha20-poly1305@openssh.com",
  "umac-64-etm@openssh.com",
  "none",
  "sntrup761x25519-sha512@openssh.com",
  "ssh-ed25519",
  "b4:5e:10:2c:7f:81:90:3d:6a:11:52:e8:0f:c4:77:3b",
];

export const fileValues = (
  fuid: string,
  uid: string,
  flow: Flow,
  file: { readonly source: string; readonly mime: string; readonly name?: string; readonly bytes: number; readonly sent: boolean },
): readonly Value[] => [
  fuid,
  ...ends(uid, flow),
  file.source,
  0,
  [],
  file.mime,
  file.name,
  0.8,
  isInside(flow.from),
  file.sent,
  file.bytes,
  file.bytes,
  0,
  0,
  false,
];

export const noticeValues = (
  note: string,
  message: string,
  sub: string | undefined,
  about: { readonly uid?: string; readonly flow?: Flow; readonly from?: string; readonly to?: string; readonly port?: number },
): readonly Value[] => [
  ...(about.flow === undefined || about.uid === undefined
    ? [undefined, undefined, undefined, undefined, undefined]
    : ends(about.uid, about.flow)),
  undefined,
  undefined,
  undefined,
  about.flow === undefined ? undefined : "tcp",
  note,
  message,
  sub,
  about.flow?.from ?? about.from,
  about.flow?.to ?? about.to,
  about.flow?.port ?? about.port,
  undefined,
  undefined,
  ["Notice::ACTION_LOG"],
  [],
  3_600,
];

export const shuntValues = (rule: string, f: Flow): readonly Value[] => [rule, f.from, f.fromPort, f.to, f.port, 300, undefined];
