/** What Linux-PAM modules say through any program. */
import type { Fields } from "@vedette/model";
import { setAuthentication, setSource } from "./peer.ts";

/**
 * Reads `pam_unix(SERVICE:TYPE): …`, the older `PROGRAM(pam_unix): …` (where `program` carries the module) and `PAM N more authentication failures; …`.
 * A failed password of a current sshd gives its own line beside PAM's, so PAM's action is another one: counting `ssh_login` counts attempts.
 * @returns false where it is none of these
 */
export function readPam(message: string, program: string, fields: Fields): boolean {
  const older = program.endsWith("(pam_unix)");
  let text = message;
  if (!older) {
    if (text.startsWith("PAM ") && text.includes(" more authentication failure")) return failure(text, "pam_authentication", fields);
    // Distributions of the years before 2007 wrote `(pam_unix) …` and `pam_unix: …`.
    if (text.startsWith("(pam_unix) ")) text = text.slice(11);
    else if (text.startsWith("pam_unix: ")) text = text.slice(10);
    else {
      if (!text.startsWith("pam_")) return false;
      const colon = text.indexOf("): ");
      const open = text.indexOf("(");
      if (open < 0 || colon < open || colon > 128) return false;
      const service = text.indexOf(":", open);
      fields["linux.auth.pam.module"] = text.slice(0, open);
      fields["linux.auth.pam.service"] = text.slice(open + 1, service > open && service < colon ? service : colon);
      text = text.slice(colon + 3);
    }
  }
  if (text.startsWith("authentication failure"))
    return failure(text, older && program.startsWith("sshd") ? "ssh_login" : "pam_authentication", fields);
  if (text.startsWith("session opened for user ")) return session(text.slice(24), "start", fields);
  if (text.startsWith("session closed for user ")) return session(text.slice(24), "end", fields);
  if (text.startsWith("password changed for ")) return changed(text.slice(21), fields);
  if (text.startsWith("Consecutive login failures for user "))
    return denied(text.slice(36), / account (?:temporarily )?locked/, "pam_locked", fields);
  if (text.startsWith("access denied for user ")) return accessDenied(text.slice(23), fields);
  if (text.startsWith("user ") && text.includes(") tally ") && text.includes(", deny "))
    return denied(text.slice(5), / \(\d{1,10}\) tally /, "pam_locked", fields);
  if (text.startsWith("check pass; user unknown")) {
    fields["event.category"] = "authentication";
    fields["event.type"] = "info";
    fields["event.action"] = "pam_unknown_user";
    return true;
  }
  return true;
}

/** `…; logname=L uid=N euid=N tty=T ruser=R rhost=H  user=U`. */
function failure(text: string, action: string, fields: Fields): boolean {
  setAuthentication(fields, action, "failure");
  const rhost = text.indexOf(" rhost=");
  if (rhost < 0) return true;
  const start = rhost + 7;
  const blank = text.indexOf(" ", start);
  setSource(fields, text.slice(start, blank < 0 ? undefined : blank));
  const user = text.indexOf(" user=", start);
  if (user >= 0) fields["user.name"] = text.slice(user + 6).trimEnd();
  else {
    const ruser = text.indexOf(" ruser=");
    if (ruser >= 0 && rhost > ruser + 7) fields["user.name"] = text.slice(ruser + 7, rhost);
  }
  return true;
}

/** `NAME[(uid=N)][ by [NAME](uid=N)]`. */
function session(text: string, type: "start" | "end", fields: Fields): boolean {
  fields["event.category"] = "session";
  fields["event.type"] = type;
  fields["event.action"] = type === "start" ? "session_opened" : "session_closed";
  const by = text.lastIndexOf(" by ");
  const user = by < 0 ? text : text.slice(0, by);
  const uid = user.indexOf("(uid=");
  fields["user.name"] = (uid < 0 ? user : user.slice(0, uid)).trimEnd();
  if (by < 0) return true;
  const open = text.indexOf("(", by);
  const who = text.slice(by + 4, open < 0 ? undefined : open);
  if (who !== "" && who !== "(") fields["linux.auth.by"] = who;
  return true;
}

/** pam_faillock's and pam_tally2's: `NAME account temporarily locked due to …`, `NAME (UID) tally N, deny M`. */
function denied(text: string, end: RegExp, action: string, fields: Fields): boolean {
  setAuthentication(fields, action, "failure");
  const stop = text.slice(0, 512).search(end);
  if (stop > 0) fields["user.name"] = text.slice(0, stop);
  return true;
}

/** pam_access's: `` `NAME' from `HOST' ``. */
function accessDenied(text: string, fields: Fields): boolean {
  setAuthentication(fields, "pam_access_denied", "failure");
  const from = text.lastIndexOf("' from `");
  if (from < 1) return true;
  fields["user.name"] = text.slice(1, from);
  setSource(fields, text.slice(from + 8, text.endsWith("'") ? -1 : undefined));
  return true;
}

function changed(user: string, fields: Fields): boolean {
  fields["event.category"] = "iam";
  fields["event.type"] = ["user", "change"];
  fields["event.action"] = "password_changed";
  fields["event.outcome"] = "success";
  fields["user.name"] = user.trimEnd();
  return true;
}
