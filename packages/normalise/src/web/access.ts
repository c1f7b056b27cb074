/** Access log lines in the common and combined forms, with a virtual host or a list of forwarders in front. Knows no server. */
import { type Decoded, newFields } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { plainIp } from "../linux/peer.ts";
import { clfDate } from "../time/stamps.ts";
import { setAuthority, setUrl } from "./url.ts";

const notAccess: Flaw = {
  code: "bad_access_log",
  expected: 'an access log line: host - user [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 2326 …',
};

/**
 * One line. Both servers escape quotes in what a client sends, so the first `] "` ends the date, and the first unescaped quote the request.
 * What the client requested is kept as told, however broken.
 */
export function decodeAccess(line: string, module: "nginx" | "apache"): Decoded | Flaw {
  if (line.charCodeAt(0) === 0x5b) return decodeTlsRequest(line, module);
  const dateEnd = line.indexOf('] "');
  const dateStart = dateEnd < 0 ? -1 : line.lastIndexOf("[", dateEnd);
  if (dateStart < 0) return notAccess;
  const time = clfDate(line, dateStart + 1, dateEnd);
  const requestEnd = closingQuote(line, dateEnd + 3);
  if (time === undefined || requestEnd < 0) return notAccess;
  const fields = accessEvent(module);
  setClient(fields, line.slice(0, dateStart));
  setRequest(fields, line.slice(dateEnd + 3, requestEnd));
  return setResponse(fields, line, requestEnd + 1, module) ? { time, fields } : notAccess;
}

function accessEvent(module: "nginx" | "apache"): Fields {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.category"] = "web";
  fields["event.type"] = "access";
  fields["event.dataset"] = module === "nginx" ? "nginx.access" : "apache.access";
  fields["event.module"] = module;
  return fields;
}

/** mod_ssl's request log: `[10/Aug/2018:09:45:56 +0200] CLIENT TLSv1.2 CIPHER "GET / HTTP/1.1" 1375`. */
function decodeTlsRequest(line: string, module: "nginx" | "apache"): Decoded | Flaw {
  const dateEnd = line.indexOf("] ");
  const time = clfDate(line, 1, dateEnd);
  const quote = line.indexOf(' "', dateEnd);
  const end = quote < 0 ? -1 : closingQuote(line, quote + 2);
  const words = quote < 0 ? [] : line.slice(dateEnd + 2, quote).split(" ", 4);
  if (time === undefined || end < 0 || words.length !== 3) return notAccess;
  const fields = accessEvent(module);
  setSource(fields, words[0]!);
  fields[`${module}.access.ssl.protocol`] = words[1]!;
  fields["tls.cipher"] = words[2]!;
  setRequest(fields, line.slice(quote + 2, end));
  const bytes = line.slice(end + 2).trim();
  if (bytes !== "" && Number(bytes) >= 0) fields["http.response.body.bytes"] = Number(bytes);
  return { time, fields };
}

/** The next `"` that no backslash escapes, or -1. */
function closingQuote(line: string, at: number): number {
  for (let i = at; i < line.length; i++) {
    const c = line.charCodeAt(i);
    if (c === 0x5c) i++;
    else if (c === 0x22) return i;
  }
  return -1;
}

/** `[VHOST[:PORT] ]CLIENT[, CLIENT…] IDENT USER `. */
function setClient(fields: Fields, head: string): void {
  const dash = head.indexOf(" - ");
  let peers: string;
  let user: string;
  if (dash >= 0) {
    peers = head.slice(0, dash);
    user = head.slice(dash + 3).trim();
  } else {
    const [client = "", , ...rest] = head.trim().split(" ", 16);
    peers = client;
    user = rest.join(" ");
  }
  // some proxies put the request's id there, and nobody after it
  if (/^[^ ]+ -$/.test(user)) fields["http.request.id"] = user.slice(0, -2);
  else if (user !== "" && user !== "-") fields["user.name"] = user;
  if (!peers.includes(" ")) {
    setSource(fields, peers);
    return;
  }
  const words = peers
    .replaceAll('"', " ")
    .split(" ", 64)
    .filter((word) => word !== "");
  const first = words[0] ?? "";
  if (!first.endsWith(",") && words.length > 1) {
    setAuthority(fields, first);
    words.shift();
  }
  const clients = words.map((word) => (word.endsWith(",") ? word.slice(0, -1) : word));
  setSource(fields, clients.findLast((one) => isPublic(one)) ?? clients[0] ?? "");
}

function setSource(fields: Fields, client: string): void {
  const address = plainIp(client);
  if (address !== undefined) fields["source.ip"] = address;
  else if (client !== "" && client !== "-" && client !== "unix:") fields["source.domain"] = client;
}

/** Of a list of forwarders the last public address is the one our own proxy saw; earlier ones are what the client claimed. */
function isPublic(text: string): boolean {
  const ip = plainIp(text);
  if (ip === undefined) return false;
  if (ip.includes(":")) return !/^(::1$|f[cd]|fe[89ab])/i.test(ip);
  return !/^(10|127)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(ip);
}

/** `METHOD URI PROTOCOL`; anything else is what the client sent instead. */
export function setRequest(fields: Fields, request: string): void {
  if (request === "" || request === "-") return;
  const first = request.indexOf(" ");
  const last = request.lastIndexOf(" ");
  if (first <= 0 || first > 32 || !isToken(request, first)) {
    fields["url.original"] = request;
    return;
  }
  fields["http.request.method"] = request.slice(0, first);
  if (last > first && request.startsWith("HTTP/", last + 1)) {
    fields["http.version"] = request.slice(last + 6);
    setUrl(fields, request.slice(first + 1, last));
  } else setUrl(fields, request.slice(first + 1));
}

/** Whether the first `end` characters are letters, hyphens or underscores: methods. */
function isToken(text: string, end: number): boolean {
  for (let i = 0; i < end; i++) {
    const c = text.charCodeAt(i) | 0x20;
    if (!((c >= 0x61 && c <= 0x7a) || text.charCodeAt(i) === 0x2d || text.charCodeAt(i) === 0x5f)) return false;
  }
  return true;
}

/** ` STATUS BYTES[ "REFERRER" "AGENT"[ "FORWARDED"]]`; false where there is no status. */
function setResponse(fields: Fields, line: string, at: number, module: string): boolean {
  const status = Number(line.slice(at + 1, at + 4));
  const end = at + 4;
  if (line.charCodeAt(at) !== 0x20 || !(status >= 100 && status <= 999) || (end < line.length && line.charCodeAt(end) !== 0x20))
    return false;
  fields["http.response.status_code"] = status;
  fields["event.outcome"] = status < 400 ? "success" : "failure";
  const blank = line.indexOf(" ", end + 1);
  const bytes = line.slice(end + 1, blank < 0 ? undefined : blank);
  const size = Number(bytes);
  if (bytes !== "" && size >= 0) fields["http.response.body.bytes"] = size;
  const names = ["http.request.referrer", "user_agent.original", `${module}.access.forwarded_for`];
  let i = blank < 0 ? line.length : blank + 1;
  for (const name of names) {
    if (line.charCodeAt(i) !== 0x22) break;
    const close = closingQuote(line, i + 1);
    if (close < 0) break;
    const value = line.slice(i + 1, close);
    if (value !== "" && value !== "-") fields[name] = value;
    i = close + 2;
  }
  return true;
}

/** Whether a line has the look of an access log, cheaply. */
export function looksLikeAccess(line: string): boolean {
  if (line.charCodeAt(0) === 0x5b) return !("code" in decodeTlsRequest(line, "apache"));
  const dateEnd = line.indexOf('] "');
  const dateStart = dateEnd < 0 ? -1 : line.lastIndexOf("[", dateEnd);
  return dateStart >= 0 && clfDate(line, dateStart + 1, dateEnd) !== undefined;
}
