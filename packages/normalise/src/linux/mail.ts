/** What mail servers say: Postfix and Dovecot. Names and greetings in it are the client's, so every address is read where the server itself writes it. */
import type { Fields } from "@vedette/model";
import { setAuthentication, setSource, setSourcePort } from "./peer.ts";

/** Dovecot's `imap-login: …`, `auth-worker(1): sql(USER,ADDRESS): …`. */
export function readDovecot(message: string, fields: Fields): boolean {
  const colon = message.indexOf(": ");
  if (colon < 0) return false;
  const part = message.slice(0, colon);
  let text = message.slice(colon + 2);
  for (const level of ["Info: ", "Warning: ", "Error: "]) if (text.startsWith(level)) text = text.slice(level.length);
  if (part.endsWith("-login")) return dovecotLogin(part.slice(0, -6), text, fields);
  return part.startsWith("auth") && dovecotAuth(text, fields);
}

/** In its own log file Dovecot puts no name before the part: `imap-login: Info: …`. */
export const readDovecotPart = (message: string, fields: Fields): boolean =>
  readDovecot(`${String(fields["process.name"])}: ${message}`, fields);

function dovecotLogin(protocol: string, text: string, fields: Fields): boolean {
  fields["network.protocol"] = protocol;
  const at = text.lastIndexOf(", rip=") >= 0 ? text.lastIndexOf(", rip=") + 6 : text.startsWith("rip=") ? 4 : text.indexOf(": rip=") + 6;
  if (at >= 6 || text.startsWith("rip=")) setSource(fields, text.slice(at, wordEnd(text, at)));
  const user = text.indexOf("user=<");
  const close = user < 0 ? -1 : text.indexOf(">", user);
  if (close > user + 6) fields["user.name"] = text.slice(user + 6, close);
  const method = /\bmethod=([\w-]{1,32})/.exec(text.slice(Math.max(close, 0)));
  if (method !== null) fields["dovecot.method"] = method[1]!;
  const head = user < 0 ? text : text.slice(0, user);
  if (head.startsWith("Login: ") || head.startsWith("Proxy: ")) setAuthentication(fields, "mail_login", "success");
  else if (head.includes("auth failed") || head.includes("(auth_failed)")) setAuthentication(fields, "mail_login", "failure");
  // Version 1 says no more of a refused login.
  else if (head.startsWith("Aborted login: ") && close > user + 6) setAuthentication(fields, "mail_login", "failure");
  else if (head.includes("disallowed plaintext auth")) setAuthentication(fields, "mail_login_denied", "failure");
  else end(fields, "mail_disconnect");
  return true;
}

/** `pam(USER,ADDRESS[,<SESSION>]): unknown user`, `sql(USER,ADDRESS): Password mismatch`. */
function dovecotAuth(told: string, fields: Fields): boolean {
  // A worker says first on whose behalf: `conn unix:auth-worker (pid=1,uid=2): auth-worker<3>: `.
  const behalf = told.startsWith("conn unix:") ? told.indexOf(">: ") : -1;
  const text = behalf < 0 ? told : told.slice(behalf + 3);
  const open = text.indexOf("(");
  const close = text.indexOf("): ", open);
  if (open <= 0 || close < 0 || open > 32 || text.startsWith("pam_")) return false;
  let inner = text.slice(open + 1, close);
  if (inner.endsWith(">")) inner = inner.slice(0, inner.lastIndexOf(",<"));
  const comma = inner.lastIndexOf(",");
  fields["user.name"] = comma < 0 ? inner : inner.slice(0, comma);
  if (comma >= 0) setSource(fields, inner.slice(comma + 1));
  const said = text.slice(close + 3).toLowerCase();
  const refused = [
    "unknown user",
    "password mismatch",
    "authentication failure",
    "invalid credentials",
    "no passdb",
    "not allowed",
    "user not known",
  ];
  if (refused.some((word) => said.includes(word))) {
    // The login process reports the same attempt when the connection ends.
    setAuthentication(fields, "mail_password", "failure");
    return true;
  }
  fields["event.category"] = "authentication";
  fields["event.type"] = "info";
  return true;
}

/** Postfix's `smtpd`, `postscreen`, `qmgr` and `cleanup`. */
export function readPostfix(message: string, fields: Fields): boolean {
  let text = message.startsWith("warning: ") ? message.slice(9) : message;
  const queue = /^([0-9A-F]{6,12}|[0-9b-df-hj-np-tv-zB-DF-HJ-NP-TV-Z]{10,20}|NOQUEUE): /.exec(text.slice(0, 32));
  if (queue !== null) {
    if (queue[1] !== "NOQUEUE") fields["email.local_id"] = queue[1]!;
    text = text.slice(queue[0].length);
  }
  fields["network.protocol"] = "smtp";
  const sasl = /^\S{0,300}\[[0-9a-fA-F.:]{2,45}\]: SASL (\S{1,32}) authentication failed: /.exec(text.slice(0, 512));
  if (sasl !== null) {
    setClient(fields, text, 0);
    const ours = text.startsWith("Connection lost to authentication server", sasl[0].length);
    if (ours) fail(fields, "mail_authentication_unavailable");
    else setAuthentication(fields, "mail_login", "failure");
    const name = text.lastIndexOf(", sasl_username=");
    if (name > 0) fields["user.name"] = text.slice(name + 16);
    return true;
  }
  if (text.startsWith("client=")) return postfixClient(text, fields);
  const refused = /^(?:milter-)?reject(?:_warning)?: (\w{1,16}) from /.exec(text.slice(0, 64));
  if (refused !== null) {
    setClient(fields, text, refused[0].length);
    setEnvelope(fields, text);
    fields["event.category"] = ["email", "network"];
    fields["event.type"] = "denied";
    fields["event.action"] = "mail_rejected";
    fields["event.outcome"] = "failure";
    return true;
  }
  return postfixConnection(text, fields) || postfixQueue(text, fields);
}

const postfixConnections: readonly (readonly [start: string, action: string, type: string])[] = [
  ["connect from ", "mail_connection", "start"],
  ["disconnect from ", "mail_disconnect", "end"],
  ["lost connection after ", "mail_disconnect", "end"],
  ["timeout after ", "mail_disconnect", "end"],
  ["improper command pipelining after ", "mail_probe", "denied"],
  ["too many errors after ", "mail_probe", "denied"],
  ["non-SMTP command from ", "mail_probe", "denied"],
  ["Connection rate limit exceeded: ", "mail_rate_limited", "denied"],
  ["Connection concurrency limit exceeded: ", "mail_rate_limited", "denied"],
  ["SSL_accept error from ", "mail_tls_error", "error"],
];

function postfixConnection(text: string, fields: Fields): boolean {
  const found = postfixConnections.find(([start]) => text.startsWith(start));
  if (found === undefined) return false;
  const from = text.indexOf("from ");
  setClient(fields, text, from + 5);
  fields["event.category"] = "network";
  fields["event.type"] = ["connection", found[2]];
  fields["event.action"] = found[1];
  // `auth=0/3`: three tries, none of them right.
  const tries = /\bauth=0\/(\d{1,6})\b/.exec(text);
  if (tries !== null) setAuthentication(fields, "mail_login_attempts", "failure");
  return true;
}

/** `client=HOST[ADDRESS], sasl_method=M, sasl_username=U`. */
function postfixClient(text: string, fields: Fields): boolean {
  setClient(fields, text, 7);
  const name = text.indexOf(", sasl_username=");
  if (name > 0) {
    setAuthentication(fields, "mail_login", "success");
    const comma = text.indexOf(", ", name + 16);
    fields["user.name"] = text.slice(name + 16, comma < 0 ? undefined : comma);
  } else {
    fields["event.category"] = ["email", "network"];
    fields["event.type"] = "info";
    fields["event.action"] = "mail_accepted";
  }
  return true;
}

function postfixQueue(text: string, fields: Fields): boolean {
  const isDelivery = text.startsWith("to=<") && text.includes(", status=");
  if (!isDelivery && !text.startsWith("from=<") && !text.startsWith("message-id=")) return false;
  fields["event.category"] = "email";
  fields["event.type"] = "info";
  setEnvelope(fields, text);
  if (text.startsWith("message-id=<")) fields["email.message_id"] = text.slice(12, text.lastIndexOf(">"));
  const status = isDelivery ? /, status=(\w{1,16})/.exec(text) : null;
  if (status !== null) {
    fields["event.action"] = `mail_${status[1]!}`;
    fields["event.outcome"] = status[1] === "sent" ? "success" : "failure";
  }
  return true;
}

/** `NAME[ADDRESS]` or postscreen's `[ADDRESS]:PORT` from `start`; a name cannot hold a bracket. */
function setClient(fields: Fields, text: string, start: number): void {
  const open = text.indexOf("[", start);
  const close = open < 0 || open - start > 300 ? -1 : text.indexOf("]", open);
  if (close < 0) return;
  setSource(fields, text.slice(open + 1, close));
  const name = text.slice(start, open);
  if (name !== "" && name !== "unknown" && !name.includes(" ")) fields["source.domain"] = name;
  const port = /^:(\d{1,5})\b/.exec(text.slice(close + 1, close + 8));
  if (port !== null) setSourcePort(fields, port[1]!);
}

function setEnvelope(fields: Fields, text: string): void {
  for (const [key, field] of [
    ["from=<", "email.from.address"],
    ["to=<", "email.to.address"],
    ["helo=<", "smtp.helo"],
  ] as const) {
    const at = text.startsWith(key) ? 0 : text.lastIndexOf(` ${key}`) + 1;
    if (at === 0 && !text.startsWith(key)) continue;
    const close = text.indexOf(">", at);
    if (close > at + key.length) fields[field] = text.slice(at + key.length, close);
  }
}

function wordEnd(text: string, at: number): number {
  let i = at;
  while (i < text.length && text.charCodeAt(i) !== 0x2c && text.charCodeAt(i) !== 0x20) i++;
  return i;
}

function end(fields: Fields, action: string): void {
  fields["event.category"] = "network";
  fields["event.type"] = ["connection", "end"];
  fields["event.action"] = action;
}

function fail(fields: Fields, action: string): void {
  fields["event.category"] = "host";
  fields["event.type"] = "error";
  fields["event.action"] = action;
}
