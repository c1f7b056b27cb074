/** What cron, systemd and systemd-logind say. */
import type { Fields } from "@vedette/model";

function cronCommand(fields: Fields, command: string): true {
  fields["event.category"] = "process";
  fields["event.type"] = "start";
  fields["event.action"] = "cron_command";
  fields["process.command_line"] = command.trim();
  return true;
}

/** `(root) CMD (   cd / && run-parts --report /etc/cron.hourly)`; busybox: `USER root pid 44 cmd run-parts /etc/periodic/15min`. */
export function readCron(message: string, fields: Fields): boolean {
  const busybox = /^USER (\S{1,64}) pid {1,8}\d{1,10} cmd (.+)$/.exec(message);
  if (busybox !== null) {
    fields["user.name"] = busybox[1]!;
    return cronCommand(fields, busybox[2]!);
  }
  const close = message.indexOf(") ");
  if (message.charCodeAt(0) !== 0x28 || close < 0 || close > 64) return false;
  fields["user.name"] = message.slice(1, close);
  const rest = message.slice(close + 2);
  const open = rest.indexOf(" (");
  const verb = open < 0 ? rest : rest.slice(0, open);
  const inner = open < 0 ? "" : rest.slice(open + 2, rest.endsWith(")") ? -1 : undefined);
  if (verb === "CMD") return cronCommand(fields, inner);
  fields["event.category"] = "configuration";
  fields["event.type"] = "info";
  fields["event.action"] = `cron_${verb.toLowerCase().replaceAll(" ", "_").slice(0, 32)}`;
  return true;
}

/** `New session 12 of user root.`, `Removed session 12.`, `Session 12 logged out. …`. */
export function readLogind(message: string, fields: Fields): boolean {
  if (message.startsWith("New session ")) {
    const of = message.lastIndexOf(" of user ");
    if (of < 12) return false;
    sessionOf(fields, "start", "session_opened", message.slice(12, of));
    const name = message.slice(of + 9);
    const type = name.lastIndexOf("' with class");
    const bare = type > 0 ? name.slice(0, type) : name.endsWith(".") ? name.slice(0, -1) : name;
    fields["user.name"] = bare.startsWith("'") ? bare.slice(1) : bare;
    return true;
  }
  if (message.startsWith("Removed session ")) {
    sessionOf(fields, "end", "session_closed", message.slice(16, message.endsWith(".") ? -1 : undefined));
    return true;
  }
  return false;
}
function sessionOf(fields: Fields, type: string, action: string, id: string): void {
  fields["event.category"] = "session";
  fields["event.type"] = type;
  fields["event.action"] = action;
  fields["linux.auth.session_id"] = id;
}

/** systemd itself: `Started X.`, `Stopped X.`, `X: Main process exited, code=killed, status=9/KILL`, `X: Failed with result 'exit-code'.`. */
export function readSystemd(message: string, fields: Fields): boolean {
  const begun = /^(Started|Starting|Stopped|Stopping|Reloading|Reloaded|Finished|Mounted|Unmounted) (.{1,255}?)(?:\.{1,3})?$/.exec(
    message.slice(0, 320),
  );
  if (begun !== null) {
    fields["event.category"] = "process";
    fields["event.type"] = /^(?:Start|Mount)/.test(begun[1]!) ? "start" : /^(?:Stop|Finish|Unmount)/.test(begun[1]!) ? "end" : "change";
    fields["event.action"] = `unit_${begun[1]!.toLowerCase()}`;
    fields["systemd.unit"] = begun[2]!.split(" - ", 1)[0]!;
    return true;
  }
  const missed = /^Failed to (?:start|mount|listen on) (.{1,255}?)\.?$/.exec(message.slice(0, 320));
  if (missed !== null) {
    fields["event.category"] = "process";
    fields["event.type"] = "end";
    fields["event.action"] = "unit_failed";
    fields["event.outcome"] = "failure";
    fields["systemd.unit"] = missed[1]!.split(" - ", 1)[0]!;
    return true;
  }
  const told = /^(\S{1,255}\.(?:service|scope|socket|timer|mount|slice|target)): (.{1,512})/.exec(message.slice(0, 800));
  if (told === null) return false;
  fields["systemd.unit"] = told[1]!;
  fields["event.category"] = "process";
  const failed = /^Failed with result '([^']{1,64})'|^Main process exited|^Unit entered failed state/.exec(told[2]!);
  fields["event.type"] = failed === null ? "info" : "end";
  if (failed === null) return true;
  fields["event.action"] = "unit_failed";
  fields["event.outcome"] = "failure";
  if (failed[1] !== undefined) fields["event.reason"] = failed[1];
  return true;
}
