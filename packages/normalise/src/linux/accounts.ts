/** What the shadow utilities say about accounts and groups. */
import type { Fields } from "@vedette/model";

/** useradd, usermod, userdel, groupadd, groupmod, groupdel, gpasswd, passwd, chage, chpasswd. */
export function readAccounts(message: string, fields: Fields): boolean {
  if (message.startsWith("new user: ") || message.startsWith("new account added - ")) return created("user", message, fields);
  if (/^(?:new group(?: added -|:)|group added to \/etc\/group:) /.test(message)) return created("group", message, fields);
  const inGroup = /^user (\S{1,255}) (added|removed) by \S{1,255} (?:to|from) group (\S{1,255})$/.exec(message);
  if (inGroup !== null) {
    change(fields, ["group", "change"], inGroup[2] === "added" ? "user_added_to_group" : "user_removed_from_group");
    fields["user.name"] = inGroup[1]!;
    fields["group.name"] = inGroup[3]!;
    return true;
  }
  const password = /^password for '?([^\s']{1,255})'? changed(?: by '?[^\s']{1,255}'?)?$/.exec(message);
  if (password !== null) {
    change(fields, ["user", "change"], "password_changed");
    fields["user.name"] = password[1]!;
    return true;
  }
  const names = quoted(message);
  const removed = message.startsWith("delete ") || message.startsWith("removed ") || message.startsWith("remove ");
  if (removed) {
    const aboutGroup = message.includes("group ") && !message.startsWith("delete user");
    change(fields, [aboutGroup ? "group" : "user", "deletion"], aboutGroup ? "group_removed" : "user_removed");
    if (names[0] !== undefined) fields[aboutGroup && names.length === 1 ? "group.name" : "user.name"] = names[0];
    if (names[1] !== undefined) fields["group.name"] = names[1];
    return true;
  }
  if (message.startsWith("add ")) {
    change(fields, ["group", "change"], "user_added_to_group");
    if (names[0] !== undefined) fields["user.name"] = names[0];
    if (names[1] !== undefined) fields["group.name"] = names[1];
    return true;
  }
  if (
    message.startsWith("change user ") ||
    message.startsWith("changed ") ||
    message.startsWith("lock user ") ||
    message.startsWith("unlock user ")
  ) {
    change(fields, ["user", "change"], "user_changed");
    const name = names[0] ?? /^changed password expiry for (\S{1,255})$/.exec(message)?.[1];
    if (name !== undefined) fields["user.name"] = name;
    return true;
  }
  return false;
}

function change(fields: Fields, type: readonly string[], action: string): void {
  fields["event.category"] = "iam";
  fields["event.type"] = type;
  fields["event.action"] = action;
  fields["event.outcome"] = "success";
}

/** `…: name=apache, UID=48, GID=48, home=/usr/share/httpd, shell=/sbin/nologin[, from=…]`; SUSE: `… - account=apache, uid=48, …`. */
function created(what: "user" | "group", message: string, fields: Fields): boolean {
  change(fields, [what, "creation"], what === "user" ? "user_added" : "group_added");
  for (const part of message
    .slice(/: | - /.exec(message)!.index + 2)
    .trimStart()
    .split(", ", 16)) {
    const equals = part.indexOf("=");
    const value = part.slice(equals + 1);
    const key = part.slice(0, Math.max(0, equals));
    if (key === "name" || key === "account" || key === "group") fields[`${what}.name`] = value;
    else if (key === "UID" || key === "uid") fields["user.id"] = value;
    else if (key === "GID" || key === "gid") fields["group.id"] = value;
    else if (key === "home" || key === "shell") fields[`linux.auth.useradd.${key}`] = value;
  }
  return true;
}

/** The first two names between single quotes (or backtick and quote, as old versions write). */
function quoted(message: string): readonly string[] {
  const names: string[] = [];
  let from = 0;
  while (names.length < 2) {
    const plain = message.indexOf("'", from);
    const tick = message.indexOf("`", from);
    const open = tick >= 0 && (plain < 0 || tick < plain) ? tick : plain;
    const close = open < 0 ? -1 : message.indexOf("'", open + 1);
    if (close < 0) break;
    names.push(message.slice(open + 1, close));
    from = close + 1;
  }
  return names;
}
