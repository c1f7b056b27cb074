/** What PostgreSQL's messages are about: logins, sessions, roles, statements. Knows no prefix. */
import type { Fields } from "@vedette/model";

const failedLogin =
  /authentication failed for user "([^"]{0,256})"|no pg_hba\.conf entry for host "([^"]{1,64})", user "([^"]{0,256})"|role "([^"]{0,256})" (?:does not exist|is not permitted to log in)/;
const roleStatement = /^(?:statement|execute [^:]{1,64}|AUDIT): .{0,128}\b(create|alter|drop) (?:role|user|group)\b/is;
const grantStatement = /^(?:statement|execute [^:]{1,64}|AUDIT): .{0,128}\b(grant|revoke)\b/is;

export function readPostgresMessage(level: string, message: string, fields: Fields): void {
  const failed = failedLogin.exec(message.slice(0, 1_024));
  if (failed !== null && level === "FATAL") {
    set(fields, "authentication", "info", "database_login", "failure");
    const user = failed[1] ?? failed[3] ?? failed[4];
    if (user !== undefined && user !== "") fields["user.name"] ??= user;
    if (failed[2] !== undefined) fields["source.ip"] ??= failed[2];
    return;
  }
  if (message.startsWith("connection authorized: ")) {
    set(fields, "authentication", "start", "database_login", "success");
    const user = /\buser=([^\s]{1,256})/.exec(message);
    if (user !== null) fields["user.name"] ??= user[1]!;
  } else if (message.startsWith("connection received: ")) {
    set(fields, ["database", "network"], ["connection", "start"], "database_connection");
    const host = /\bhost=([0-9a-fA-F.:]{2,45}) port=(\d{1,5})/.exec(message);
    if (host !== null) {
      fields["source.ip"] ??= host[1]!;
      fields["source.port"] ??= Number(host[2]);
    }
  } else if (message.startsWith("disconnection: ")) set(fields, ["database", "session"], "end", "database_disconnection");
  else if (roleStatement.test(message)) set(fields, ["database", "iam"], "change", "database_role_statement");
  else if (grantStatement.test(message)) set(fields, ["database", "iam"], "change", "database_grant_statement");
  else if (message.startsWith("statement: ") || message.startsWith("execute ") || message.startsWith("AUDIT: "))
    set(fields, "database", "access", "database_statement");
  else if (level === "ERROR" || level === "FATAL" || level === "PANIC") set(fields, "database", "error", "database_error", "failure");
  else set(fields, "database", "info", undefined);
}

function set(
  fields: Fields,
  category: string | readonly string[],
  type: string | readonly string[],
  action: string | undefined,
  outcome?: string,
): void {
  fields["event.category"] = category;
  fields["event.type"] = type;
  if (action !== undefined) fields["event.action"] = action;
  if (outcome !== undefined) fields["event.outcome"] = outcome;
}

/** In syslog PostgreSQL numbers its lines, and puts its prefix before the severity: `[5-1] eve@postgres FATAL:  …`. */
export function readPostgresLine(told: string, fields: Fields): boolean {
  const found = /^(?:\[\d{1,9}-\d{1,9}\] )?(.{0,256}?)\b(DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC): {2}/.exec(
    told.slice(0, 512),
  );
  if (found === null) return false;
  const who = /([^\s:@,=()[\]]{1,63})@([^\s:@,=()[\]]{1,63})/.exec(found[1]!);
  if (who !== null) {
    fields["user.name"] = who[1]!;
    fields["postgresql.log.database"] = who[2]!;
  }
  fields["log.level"] = found[2]!;
  readPostgresMessage(found[2]!, told.slice(found[0].length), fields);
  return true;
}
