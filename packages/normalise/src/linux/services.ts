/** What further servers say about who came: BIND, the FTP daemons, web consoles. Addresses are read where the server writes them. */
import type { Fields } from "@vedette/model";
import { plainIp, setAuthentication, setSource, setSourcePort } from "./peer.ts";

/** BIND: `[DATE ][category: level: ]client [@0x…] ADDRESS#PORT[ (NAME)]: … denied`. */
export function readNamed(message: string, fields: Fields): boolean {
  const found = /(?:^|[ :])client (?:@0x[0-9a-f]{1,16} )?([0-9a-fA-F.:]{2,45})#(\d{1,5})(?: \(([^)]{0,255})\))?: (.{0,512})/.exec(
    message.slice(0, 1_024),
  );
  if (found === null || plainIp(found[1]!) === undefined) return false;
  setSource(fields, found[1]!);
  setSourcePort(fields, found[2]!);
  fields["network.protocol"] = "dns";
  fields["event.category"] = "network";
  const text = found[4]!;
  const asked =
    /'([^'/]{1,255})\/(?:([A-Z0-9]{1,16})\/)?[A-Z]{1,4}'/.exec(text) ?? /query: (\S{1,255}) [A-Z]{1,4} ([A-Z0-9]{1,16})/.exec(text);
  if (asked !== null) {
    fields["dns.question.name"] = asked[1]!;
    if (asked[2] !== undefined) fields["dns.question.type"] = asked[2];
  } else if (found[3] !== undefined && found[3] !== "") fields["dns.question.name"] = found[3];
  const isTransfer = text.includes("zone transfer") || text.includes("AXFR") || text.includes("IXFR");
  const isDenied = text.includes(" denied") || text.includes("NOTAUTH") || text.includes("REFUSED");
  fields["event.action"] = isTransfer ? "dns_zone_transfer" : "dns_query";
  fields["event.type"] = isDenied ? ["protocol", "denied"] : "protocol";
  if (isDenied) fields["event.outcome"] = "failure";
  return true;
}

/** ProFTPD: `HOST (NAME[ADDRESS])[:] - USER x (Login failed): …`, `USER x: Login successful.`, `SECURITY VIOLATION`. */
export function readProftpd(message: string, fields: Fields): boolean {
  // The server writes its own name and the peer first; what the client said comes after.
  const found = /^\S{0,255} \([^[()]{0,255}\[([0-9a-fA-F.:]{2,45})\]\)(?: - |: )/.exec(message.slice(0, 600));
  if (found === null) return false;
  setSource(fields, found[1]!);
  fields["network.protocol"] = "ftp";
  return ftpOutcome(message.slice(found[0].length), fields);
}

function ftpOutcome(text: string, fields: Fields): boolean {
  const user = /^(?:USER|ANON) (\S{1,255}?)(?::| \()/.exec(text);
  if (user !== null) fields["user.name"] = user[1]!;
  if (/Login successful/.test(text)) setAuthentication(fields, "ftp_login", "success");
  else if (/Login failed|no such user|Incorrect password|SECURITY VIOLATION|Maximum login attempts/i.test(text)) {
    setAuthentication(fields, "ftp_login", "failure");
    if (/SECURITY VIOLATION.{0,8}root login/i.test(text)) fields["user.name"] ??= "root";
  } else {
    fields["event.category"] = "session";
    fields["event.type"] = "info";
    fields["event.action"] = "ftp_session";
  }
  return true;
}

/** Pure-FTPd: `(USER@ADDRESS) [WARNING] Authentication failed for user [NAME]`. */
export function readPureFtpd(message: string, fields: Fields): boolean {
  const found = /^\((.{0,255}?)@([^\s()@]{1,255})\) \[\w{1,16}\] /.exec(message.slice(0, 600));
  if (found === null) return false;
  setSource(fields, found[2]!);
  fields["network.protocol"] = "ftp";
  const text = message.slice(found[0].length);
  const failed = /^Authentication failed for user \[(.{0,255})\]/.exec(text);
  if (failed !== null) {
    setAuthentication(fields, "ftp_login", "failure");
    fields["user.name"] = failed[1]!;
    return true;
  }
  if (found[1] !== "?") fields["user.name"] = found[1]!;
  if (/ is now logged in$/.test(text)) {
    setAuthentication(fields, "ftp_login", "success");
    fields["user.name"] = text.slice(0, text.lastIndexOf(" is now logged in"));
  } else {
    fields["event.category"] = "session";
    fields["event.type"] = "info";
    fields["event.action"] = "ftp_session";
  }
  return true;
}

/** vsftpd: `[USER] FAIL LOGIN: Client "ADDRESS"`, `OK UPLOAD: Client …`, `CONNECT: Client …`, `FTP response: Client …`. */
export function readVsftpd(message: string, fields: Fields): boolean {
  const found = /(?:^|\] )(?:\[(.{0,128}?)\] )?(?:(OK|FAIL) ([A-Z]{1,16})|CONNECT|FTP \w{1,16}): Client "([^"]{1,64})"/.exec(
    message.slice(0, 600),
  );
  if (found === null) return false;
  setSource(fields, found[4]!);
  fields["network.protocol"] = "ftp";
  if (found[1] !== undefined) fields["user.name"] = found[1];
  const [, , told, verb] = found;
  const outcome = told === "OK" ? "success" : "failure";
  if (verb === undefined) {
    fields["event.category"] = "session";
    fields["event.type"] = "info";
    fields["event.action"] = "ftp_session";
  } else if (verb === "LOGIN") setAuthentication(fields, "ftp_login", outcome);
  else {
    fields["event.category"] = "file";
    fields["event.type"] = verb === "DELETE" ? "deletion" : verb === "UPLOAD" ? "creation" : "access";
    fields["event.action"] = `ftp_${verb.toLowerCase()}`;
    fields["event.outcome"] = outcome;
  }
  return true;
}

/** Proxmox and others that write PAM's words without its name: `authentication failure; rhost=ADDRESS user=NAME msg=…`. */
export function readRhostFailure(message: string, fields: Fields): boolean {
  const found = /^authentication failure; rhost=(\S{1,255}) user=(\S{1,255}) msg=/.exec(message.slice(0, 600));
  if (found === null) return false;
  setAuthentication(fields, "web_login", "failure");
  setSource(fields, found[1]!);
  fields["user.name"] = found[2]!;
  return true;
}

/** doas: `USER ran command COMMAND as USER from DIRECTORY`, `failed command for USER`. */
export function readDoas(message: string, fields: Fields): boolean {
  const ran = /^(\S{1,64}) ran command (.{1,4096}) as (\S{1,64})(?:: (.{0,4096})| from (\/.{0,1024}))$/s.exec(message);
  if (ran !== null) {
    fields["event.category"] = "process";
    fields["event.type"] = "start";
    fields["event.action"] = "doas_command";
    fields["event.outcome"] = "success";
    fields["user.name"] = ran[1]!;
    fields["user.effective.name"] = ran[3]!;
    fields["process.command_line"] = ran[4] ?? ran[2]!;
    if (ran[5] !== undefined) fields["process.working_directory"] = ran[5];
    return true;
  }
  const failed = /^failed (?:auth|command) for (\S{1,64})/.exec(message);
  if (failed === null) return false;
  setAuthentication(fields, "doas_authentication", "failure");
  fields["user.name"] = failed[1]!;
  return true;
}
