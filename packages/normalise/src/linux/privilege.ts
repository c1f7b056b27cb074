/** What sudo and su say about one user acting as another. */
import type { Fields } from "@vedette/model";
import { setAuthentication, setSource } from "./peer.ts";

/** `USER : [REASON ; ][HOST=… ; ]TTY=… ; PWD=… ; USER=… ; [GROUP=… ; ][TSID=… ; ][ENV=… ; ]COMMAND=…` (sudoers(5), LOG FORMAT). */
export function readSudo(message: string, fields: Fields): boolean {
  const text = message.trimStart();
  const colon = text.indexOf(" : ");
  if (colon <= 0) return false;
  const command = text.indexOf("COMMAND=", colon);
  const head = text.slice(colon + 3, command < 0 ? undefined : command);
  if (command < 0 && !head.includes("TTY=") && !head.includes(" ; ")) return false;
  fields["event.category"] = "process";
  fields["event.type"] = "start";
  fields["event.action"] = "sudo_command";
  fields["user.name"] = text.slice(0, colon).trimEnd();
  let reason = "";
  for (const part of head.split(" ; ", 16)) {
    const equals = part.indexOf("=");
    const value = part.slice(equals + 1).trimEnd();
    const key = part.slice(0, Math.max(0, equals));
    if (key === "TTY") fields["linux.auth.sudo.tty"] = value;
    else if (key === "PWD") fields["process.working_directory"] = value;
    else if (key === "USER") fields["user.effective.name"] = value;
    else if (key === "GROUP") fields["group.name"] = value;
    else if (key === "TSID" || key === "ENV") fields[key === "TSID" ? "linux.auth.sudo.tsid" : "linux.auth.sudo.env"] = value;
    else if (key === "HOST" || key === "CHROOT") fields[`linux.auth.sudo.${key.toLowerCase()}`] = value;
    else if (reason === "" && part.trim() !== "") reason = part.trim();
  }
  if (command >= 0) {
    const line = text.slice(command + 8);
    const blank = line.indexOf(" ");
    fields["process.command_line"] = line;
    fields["process.executable"] = blank < 0 ? line : line.slice(0, blank);
  }
  const effective = fields["user.effective.name"];
  fields["related.user"] = effective === undefined ? [fields["user.name"] as string] : [fields["user.name"] as string, effective as string];
  if (reason === "") {
    fields["event.outcome"] = "success";
    return true;
  }
  fields["event.reason"] = reason;
  if (reason.includes("incorrect password attempt")) setAuthentication(fields, "sudo_authentication", "failure");
  else {
    fields["event.outcome"] = "failure";
    fields["event.action"] = "sudo_denied";
    fields["event.type"] = "denied";
  }
  return true;
}

/** polkit's pkexec: `USER: [Error e]Executing command [USER=…] [TTY=…] [CWD=…] [COMMAND=…]`. */
export function readPkexec(message: string, fields: Fields): boolean {
  const at = message.indexOf(": ");
  const user = message.indexOf(" [USER=", at);
  const command = message.indexOf(" [COMMAND=", user);
  if (at <= 0 || user < 0 || command < 0) return false;
  const said = message.slice(at + 2, user);
  const cwd = message.indexOf(" [CWD=", user);
  fields["event.category"] = "process";
  fields["event.type"] = said === "Executing command" ? "start" : "denied";
  fields["event.action"] = said === "Executing command" ? "pkexec_command" : "pkexec_denied";
  fields["event.outcome"] = said === "Executing command" ? "success" : "failure";
  if (said !== "Executing command") fields["event.reason"] = said;
  fields["user.name"] = message.slice(0, at);
  fields["user.effective.name"] = message.slice(user + 7, message.indexOf("]", user));
  if (cwd > 0 && cwd < command) fields["process.working_directory"] = message.slice(cwd + 6, message.indexOf("]", cwd));
  const line = message.slice(command + 10, message.endsWith("]") ? -1 : undefined);
  fields["process.command_line"] = line;
  fields["process.executable"] = line.split(" ", 1)[0]!;
  return true;
}

/** login of util-linux and shadow: `FAILED LOGIN (1) on '/dev/tty1' FOR 'root', …`, `FAILED LOGIN 1 FROM HOST FOR root, …`, `ROOT LOGIN ON tty1[ FROM HOST]`, `LOGIN ON tty1 BY alice[ FROM HOST]`. */
export function readLogin(message: string, fields: Fields): boolean {
  const text = message.slice(0, 1_024);
  const failed = /^FAILED LOGIN (?:SESSION |\(\d{1,5}\) |\d{1,5} )/.test(text);
  const good = /^(?:(ROOT) LOGIN|LOGIN|DIALUP AT \S{1,64} BY) /.exec(text);
  if (!failed && good === null) return busyboxLogin(text, fields);
  setAuthentication(fields, "console_login", failed ? "failure" : "success");
  const from = / FROM '?(\S{1,255}?)'?(?: FOR |$)/i.exec(text);
  if (from !== null && !from[1]!.startsWith("/dev/") && from[1] !== "(null)") setSource(fields, from[1]!);
  const user = failed ? / FOR '?(.{1,255}?)'?, [^,]{1,128}$/.exec(text) : / BY (\S{1,255})/.exec(text);
  const name = user?.[1] ?? good?.[1]?.toLowerCase();
  if (name !== undefined && name !== "(unknown)" && name !== "UNKNOWN") fields["user.name"] = name;
  return true;
}

/** busybox: `root login on 'tty1'[ from 'HOST']`, `invalid password for 'root' on 'tty1'[ from 'HOST']`. */
function busyboxLogin(text: string, fields: Fields): boolean {
  const told =
    /^(?:(root) login|invalid password for '(.{1,255})'|user '(.{1,255})' logged in) on '[^']{1,64}'(?: from '([^']{1,255})')?$/.exec(text);
  if (told === null) return false;
  setAuthentication(fields, "console_login", told[2] === undefined ? "success" : "failure");
  const name = told[1] ?? told[2] ?? told[3]!;
  if (name !== "UNKNOWN") fields["user.name"] = name;
  if (told[4] !== undefined) setSource(fields, told[4]);
  return true;
}

/** polkitd: `Operator of unix-session:2 successfully authenticated as unix-user:root to gain … authorization for action ACTION for … [COMMAND] (owned by unix-user:alice)`. */
export function readPolkit(message: string, fields: Fields): boolean {
  const text = message.slice(0, 2_048);
  const told =
    /^Operator of \S{1,64} (successfully authenticated as unix-user:(\S{1,255})|FAILED to authenticate) to gain .{0,64}?authorization for action (\S{1,255}) for /.exec(
      text,
    );
  if (told === null) return false;
  setAuthentication(fields, "polkit_authorization", told[2] === undefined ? "failure" : "success");
  if (told[2] !== undefined) fields["user.effective.name"] = told[2];
  fields["linux.auth.polkit.action"] = told[3]!;
  const owner = /\(owned by unix-user:([^\s)]{1,255})\)$/.exec(text);
  if (owner !== null) fields["user.name"] = owner[1]!;
  const command = /\[([^[\]]{1,1024})\] \(owned by /.exec(text);
  if (command !== null) fields["process.command_line"] = command[1]!;
  return true;
}

/** The sayings of su: shadow's, util-linux's and BSD's. */
export function readSu(message: string, fields: Fields): boolean {
  const text = message.trim();
  const found = shadow(text) ?? systemFive(text) ?? parenthesised(text) ?? signed(text) ?? bsd(text);
  if (found === undefined) return false;
  setAuthentication(fields, "su", found.failed ? "failure" : "success");
  fields["user.name"] = found.by;
  fields["user.effective.name"] = found.target;
  fields["related.user"] = [found.by, found.target];
  return true;
}

interface Change {
  readonly failed: boolean;
  readonly by: string;
  readonly target: string;
}

/** `Successful su for root by alice`, `FAILED su for root by alice`. */
function shadow(text: string): Change | undefined {
  const failed = text.startsWith("FAILED su for ");
  if (!failed && !text.startsWith("Successful su for ")) return undefined;
  const by = text.lastIndexOf(" by ");
  const start = failed ? 14 : 18;
  return by < start ? undefined : { failed, target: text.slice(start, by), by: text.slice(by + 4) };
}

/** `'su root' failed for alice on /dev/pts/8`, `'su root' succeeded for …`. */
function systemFive(text: string): Change | undefined {
  const told = /^'su (\S{1,255})' (failed|succeeded) for (\S{1,255}) on \S{1,64}$/.exec(text);
  return told === null ? undefined : { failed: told[2] === "failed", target: told[1]!, by: told[3]! };
}

/** `(to root) alice on pts/0`, `FAILED SU (to root) alice on pts/0`. */
function parenthesised(text: string): Change | undefined {
  const failed = text.startsWith("FAILED SU (to ");
  if (!failed && !text.startsWith("(to ")) return undefined;
  const start = failed ? 14 : 4;
  const close = text.indexOf(") ", start);
  const on = text.lastIndexOf(" on ");
  return close < 0 || on < close + 2 ? undefined : { failed, target: text.slice(start, close), by: text.slice(close + 2, on) };
}

/** `+ pts/0 alice:root`, `- pts/0 alice:root`. */
function signed(text: string): Change | undefined {
  if (!text.startsWith("+ ") && !text.startsWith("- ")) return undefined;
  const names = text.slice(text.lastIndexOf(" ") + 1);
  const colon = names.indexOf(":");
  const dash = colon < 0 ? names.indexOf("-") : colon;
  return dash <= 0 ? undefined : { failed: text.charCodeAt(0) === 0x2d, by: names.slice(0, dash), target: names.slice(dash + 1) };
}

/** `alice to root on /dev/ttyp1`, `BAD SU alice to root on /dev/ttyp1`. */
function bsd(text: string): Change | undefined {
  const failed = text.startsWith("BAD SU ");
  const start = failed ? 7 : 0;
  const to = text.indexOf(" to ", start);
  const on = text.lastIndexOf(" on /dev/");
  return to <= start || on < to + 4 ? undefined : { failed, by: text.slice(start, to), target: text.slice(to + 4, on) };
}
