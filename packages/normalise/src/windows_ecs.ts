/** Derives ECS fields from a Windows event's data, by provider family. Knows no shape of the document. */
import type { Fields } from "@vedette/model";
import type { Meaning } from "./windows_codes.ts";
import { putConnection, putHashes, putProcess, putUser, Related, type Role } from "./windows_entities.ts";
import type { Family } from "./windows_place.ts";
import { type WindowsRecord, wholeOf } from "./windows_record.ts";

/** A datum of this event as text; undefined where it is absent, empty or Windows' `-`. */
export function datum(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  return typeof value !== "string" || value === "" || value === "-" ? undefined : value;
}

/** Adds everything ECS has a name for. `meaning` is undefined for codes we do not know. */
export function deriveEcs(record: WindowsRecord, family: Family, meaning: Meaning | undefined): void {
  const fields = record.fields;
  const related = new Related();
  if (record.computer !== undefined) related.host(record.computer);
  if (family === "sysmon") deriveSysmon(record, related);
  else if (family === "security") deriveSecurity(record, meaning, related);
  else if (family === "powershell") derivePowershell(record, related);
  else deriveOther(record, meaning, related);
  related.into(fields);
}

const actor: Role = "process";

function deriveSysmon(record: WindowsRecord, related: Related): void {
  const fields = record.fields;
  const code = record.code;
  const source = code === "8" || code === "10";
  putProcess(
    fields,
    actor,
    datum(fields, source ? "winlog.event_data.SourceImage" : "winlog.event_data.Image"),
    wholeOf(datum(fields, source ? "winlog.event_data.SourceProcessId" : "winlog.event_data.ProcessId")),
    source
      ? (datum(fields, "winlog.event_data.SourceProcessGUID") ?? datum(fields, "winlog.event_data.SourceProcessGuid"))
      : datum(fields, "winlog.event_data.ProcessGuid"),
  );
  const user = datum(fields, source ? "winlog.event_data.SourceUser" : "winlog.event_data.User");
  if (user !== undefined) putUser(fields, related, user, undefined, undefined);
  if (code === "1") deriveSysmonStart(fields);
  else if (code === "3") deriveSysmonConnection(fields, related);
  else if (code === "22") deriveSysmonQuery(fields, related);
  const registry = datum(fields, "winlog.event_data.TargetObject");
  if (registry !== undefined) putRegistry(fields, registry, code === "13", datum(fields, "winlog.event_data.Details"));
  const file = fileOfSysmon(fields, code);
  if (file !== undefined) putPath(fields, "file.path", "file.name", file);
  const library = code === "7" ? datum(fields, "winlog.event_data.ImageLoaded") : undefined;
  if (library !== undefined) putPath(fields, "dll.path", "dll.name", library);
  const hashes = datum(fields, "winlog.event_data.Hashes") ?? (code === "15" ? datum(fields, "winlog.event_data.Hash") : undefined);
  if (hashes !== undefined) putHashes(fields, related, hashOwner(code), hashes);
}

function deriveSysmonStart(fields: Fields): void {
  putText(fields, "process.command_line", datum(fields, "winlog.event_data.CommandLine"));
  putText(fields, "process.working_directory", datum(fields, "winlog.event_data.CurrentDirectory"));
  putProcess(
    fields,
    "process.parent",
    datum(fields, "winlog.event_data.ParentImage"),
    wholeOf(datum(fields, "winlog.event_data.ParentProcessId")),
    datum(fields, "winlog.event_data.ParentProcessGuid"),
  );
  putText(fields, "process.parent.command_line", datum(fields, "winlog.event_data.ParentCommandLine"));
  putText(fields, "process.pe.original_file_name", datum(fields, "winlog.event_data.OriginalFileName"));
}

function deriveSysmonConnection(fields: Fields, related: Related): void {
  putConnection(
    fields,
    related,
    datum(fields, "winlog.event_data.SourceIp"),
    datum(fields, "winlog.event_data.SourcePort"),
    datum(fields, "winlog.event_data.DestinationIp"),
    datum(fields, "winlog.event_data.DestinationPort"),
  );
  putText(fields, "source.domain", datum(fields, "winlog.event_data.SourceHostname"));
  putText(fields, "destination.domain", datum(fields, "winlog.event_data.DestinationHostname"));
  putText(fields, "network.transport", datum(fields, "winlog.event_data.Protocol"));
  const initiated = datum(fields, "winlog.event_data.Initiated");
  if (initiated !== undefined) fields["network.direction"] = initiated === "true" ? "egress" : "ingress";
}

function deriveSysmonQuery(fields: Fields, related: Related): void {
  putText(fields, "dns.question.name", datum(fields, "winlog.event_data.QueryName"));
  const answers = datum(fields, "winlog.event_data.QueryResults");
  if (answers === undefined) return;
  const addresses: string[] = [];
  // A resolver answers with at most a few dozen addresses; the rest stays in the datum itself.
  for (const one of answers.split(";", 64)) {
    const address = related.address(one);
    if (address !== undefined) addresses.push(address);
  }
  if (addresses.length > 0) fields["dns.resolved_ip"] = addresses;
}

function fileOfSysmon(fields: Fields, code: string | undefined): string | undefined {
  const file = datum(fields, "winlog.event_data.TargetFilename");
  if (file !== undefined) return file;
  if (code === "6") return datum(fields, "winlog.event_data.ImageLoaded");
  if (code === "9") return datum(fields, "winlog.event_data.Device");
  return code === "17" || code === "18" ? datum(fields, "winlog.event_data.PipeName") : undefined;
}

function hashOwner(code: string | undefined): "process" | "dll" | "file" {
  return code === "1" || code === "25" ? "process" : code === "7" ? "dll" : "file";
}

function deriveSecurity(record: WindowsRecord, meaning: Meaning | undefined, related: Related): void {
  const fields = record.fields;
  deriveAccounts(fields, meaning, related);
  putText(fields, "winlog.logon.type", logonType(datum(fields, "winlog.event_data.LogonType")));
  putText(
    fields,
    "winlog.logon.id",
    datum(fields, meaning?.actor === "target" ? "winlog.event_data.TargetLogonId" : "winlog.event_data.SubjectLogonId"),
  );
  if (record.code === "4688") deriveSecurityStart(fields);
  else {
    const image = datum(fields, "winlog.event_data.ProcessName") ?? datum(fields, "winlog.event_data.Application");
    const pid = datum(fields, "winlog.event_data.ProcessId") ?? datum(fields, "winlog.event_data.ProcessID");
    putProcess(fields, actor, image, wholeOf(pid), undefined);
  }
  deriveObject(fields, meaning);
  putConnection(
    fields,
    related,
    datum(fields, "winlog.event_data.IpAddress") ??
      datum(fields, "winlog.event_data.SourceAddress") ??
      datum(fields, "winlog.event_data.ClientAddress"),
    datum(fields, "winlog.event_data.IpPort") ?? datum(fields, "winlog.event_data.SourcePort"),
    datum(fields, "winlog.event_data.DestAddress"),
    datum(fields, "winlog.event_data.DestPort"),
  );
  putText(fields, "source.domain", datum(fields, "winlog.event_data.WorkstationName") ?? datum(fields, "winlog.event_data.Workstation"));
  deriveFiltering(fields, record.code);
  putText(fields, "service.name", datum(fields, "winlog.event_data.ServiceName"));
}

function deriveSecurityStart(fields: Fields): void {
  putProcess(
    fields,
    actor,
    datum(fields, "winlog.event_data.NewProcessName"),
    wholeOf(datum(fields, "winlog.event_data.NewProcessId")),
    undefined,
  );
  putProcess(
    fields,
    "process.parent",
    datum(fields, "winlog.event_data.ParentProcessName"),
    wholeOf(datum(fields, "winlog.event_data.ProcessId")),
    undefined,
  );
  putText(fields, "process.command_line", datum(fields, "winlog.event_data.CommandLine"));
}

/** `user.*` is who acted, or for logons who came; the other account, if named, is `user.target.*`, or `user.effective.*` for explicit credentials. */
function deriveAccounts(fields: Fields, meaning: Meaning | undefined, related: Related): void {
  const subject = datum(fields, "winlog.event_data.SubjectUserName");
  const renamed = datum(fields, "winlog.event_data.OldTargetUserName");
  const target = datum(fields, "winlog.event_data.TargetUserName") ?? renamed;
  const targetSid = datum(fields, "winlog.event_data.TargetUserSid") ?? datum(fields, "winlog.event_data.TargetSid");
  const targetDomain = datum(fields, "winlog.event_data.TargetDomainName");
  if (meaning?.actor === "target" || subject === undefined) {
    if (target !== undefined) putUser(fields, related, target, targetDomain, targetSid);
    if (subject !== undefined) related.user(subject);
    return;
  }
  putUser(
    fields,
    related,
    subject,
    datum(fields, "winlog.event_data.SubjectDomainName"),
    datum(fields, "winlog.event_data.SubjectUserSid"),
  );
  if (target === undefined) return;
  const newName = renamed === undefined ? undefined : datum(fields, "winlog.event_data.NewTargetUserName");
  if (newName !== undefined) {
    fields["user.changes.name"] = newName;
    related.user(newName);
  }
  const effective = meaning?.action === "logged-in-explicit" || meaning?.action === "created-process";
  fields[effective ? "user.effective.name" : "user.target.name"] = target;
  if (targetDomain !== undefined) fields[effective ? "user.effective.domain" : "user.target.domain"] = targetDomain;
  if (targetSid !== undefined) fields[effective ? "user.effective.id" : "user.target.id"] = targetSid;
  related.user(target);
}

/** The object an access event is about: file, registry key, or a file on a share. */
function deriveObject(fields: Fields, meaning: Meaning | undefined): void {
  const share = datum(fields, "winlog.event_data.ShareName");
  if (share !== undefined) {
    const relative = datum(fields, "winlog.event_data.RelativeTargetName");
    putPath(fields, "file.path", "file.name", relative === undefined || relative === "\\" ? share : `${share}\\${relative}`);
    return;
  }
  const object = datum(fields, "winlog.event_data.ObjectName");
  if (object === undefined) return;
  const kind = fields["winlog.event_data.ObjectType"];
  if (kind === "Key" || meaning?.category[0] === "registry") {
    putRegistry(fields, object, false, undefined);
    putText(fields, "registry.value", datum(fields, "winlog.event_data.ObjectValueName"));
  } else if (kind === "File") putPath(fields, "file.path", "file.name", object);
}

/** IP protocol numbers in audit events of the filtering platform. Source: IANA protocol numbers. */
const protocols: { readonly [number: string]: string } = { "1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp" };

function deriveFiltering(fields: Fields, code: string | undefined): void {
  if (code === undefined || !code.startsWith("51") || code.length !== 4) return;
  const protocol = datum(fields, "winlog.event_data.Protocol");
  if (protocol !== undefined) fields["network.transport"] = protocols[protocol] ?? protocol;
  const direction = datum(fields, "winlog.event_data.Direction");
  // Message-table references: 14592 Inbound, 14593 Outbound.
  if (direction === "%%14592") fields["network.direction"] = "ingress";
  else if (direction === "%%14593") fields["network.direction"] = "egress";
}

/** Source: Microsoft, event 4624, "Logon types and descriptions". */
const logonTypes = [
  "System",
  "",
  "Interactive",
  "Network",
  "Batch",
  "Service",
  "",
  "Unlock",
  "NetworkCleartext",
  "NewCredentials",
  "RemoteInteractive",
  "CachedInteractive",
];
const logonType = (number: string | undefined): string | undefined =>
  number === undefined ? undefined : logonTypes[wholeOf(number) ?? -1] || number;

function derivePowershell(record: WindowsRecord, related: Related): void {
  const fields = record.fields;
  const info = datum(fields, "winlog.event_data.ContextInfo");
  const text = info ?? classicContext(record);
  const assign = info === undefined ? "=" : " = ";
  if (text !== undefined) {
    putText(fields, "process.command_line", lineAfter(text, info === undefined ? `HostApplication${assign}` : `Host Application${assign}`));
    const user = lineAfter(text, info === undefined ? `UserId${assign}` : `        User${assign}`);
    if (user !== undefined) putUser(fields, related, user, undefined, record.writerSid);
    const script = lineAfter(text, info === undefined ? `ScriptName${assign}` : `Script Name${assign}`);
    if (script !== undefined) putPath(fields, "file.path", "file.name", script);
  }
  if (fields["user.name"] === undefined && record.writerName !== undefined) {
    putUser(fields, related, record.writerName, record.writerDomain, record.writerSid);
  } else if (fields["user.id"] === undefined && record.writerSid !== undefined) fields["user.id"] = record.writerSid;
  if (record.code === "4104") {
    const path = datum(fields, "winlog.event_data.Path");
    if (path !== undefined) putPath(fields, "file.path", "file.name", path);
  }
  if (record.writerPid !== undefined && record.writerPid > 0) fields["process.pid"] = record.writerPid;
}

/** The classic log's context block, which is the longest of the unnamed data, or in flat documents part of the message. */
function classicContext(record: WindowsRecord): string | undefined {
  const data = record.fields["winlog.event_data.Data"];
  if (typeof data === "string") return data;
  if (Array.isArray(data)) return data.find((one) => typeof one === "string" && one.includes("HostApplication=")) as string | undefined;
  return undefined;
}

/** The rest of the first line that holds `name`, from behind it; at most 32,768 characters, Windows' longest command line. */
function lineAfter(text: string, name: string): string | undefined {
  const at = text.indexOf(name);
  if (at < 0) return undefined;
  const start = at + name.length;
  const newline = text.indexOf("\n", start);
  const value = text.slice(start, Math.min(newline < 0 ? text.length : newline, start + 32_768)).trim();
  return value === "" ? undefined : value;
}

function deriveOther(record: WindowsRecord, meaning: Meaning | undefined, related: Related): void {
  const fields = record.fields;
  if (datum(fields, "winlog.event_data.SubjectUserName") ?? datum(fields, "winlog.event_data.TargetUserName"))
    deriveAccounts(fields, meaning, related);
  else {
    const user =
      datum(fields, "winlog.event_data.DetectionUser") ??
      datum(fields, "winlog.event_data.User") ??
      datum(fields, "winlog.event_data.UserName");
    if (user !== undefined) putUser(fields, related, user, undefined, undefined);
    else if (record.writerName !== undefined) putUser(fields, related, record.writerName, record.writerDomain, record.writerSid);
  }
  if (databaseLogins.has(record.code ?? "") && record.provider?.startsWith("MSSQL")) deriveDatabaseLogin(fields, related);
  putText(fields, "service.name", datum(fields, "winlog.event_data.ServiceName"));
  const path = datum(fields, "winlog.event_data.Path");
  const file = path?.startsWith("file:_") ? path.slice(6) : undefined;
  if (file !== undefined) putPath(fields, "file.path", "file.name", file);
  putText(fields, "dns.question.name", datum(fields, "winlog.event_data.QueryName"));
  putText(fields, "rule.name", datum(fields, "winlog.event_data.ThreatName"));
}

/** SQL Server's log-ins that succeeded and failed. */
const databaseLogins: ReadonlySet<string> = new Set(["18453", "18454", "18455", "18456"]);

/** Its unnamed data are the login, the reason of a failure, and last ` [CLIENT: ADDRESS]`. */
function deriveDatabaseLogin(fields: Fields, related: Related): void {
  const all = fields["winlog.event_data.Data"];
  const data = Array.isArray(all) ? all.map(String) : [1, 2, 3].map((i) => datum(fields, `winlog.event_data.param${i}`) ?? "");
  const client = /\[CLIENT: ([0-9a-fA-F.:%]{2,60})\]$/.exec(data.findLast((text) => text.trim() !== "")?.slice(-80) ?? "")?.[1];
  if (data[0] !== undefined && data[0] !== "" && !data[0].includes("[CLIENT:")) putUser(fields, related, data[0], undefined, undefined);
  if (client !== undefined) putConnection(fields, related, client, undefined, undefined, undefined);
}

/** `file.path` and its last part; Windows separates by backslash, some providers by slash. */
function putPath(fields: Fields, pathKey: string, nameKey: string, path: string): void {
  fields[pathKey] = path;
  const name = path.slice(Math.max(path.lastIndexOf("\\"), path.lastIndexOf("/")) + 1);
  if (name !== "") fields[nameKey] = name;
}

function putRegistry(fields: Fields, path: string, valueSet: boolean, data: string | undefined): void {
  fields["registry.path"] = path;
  const last = path.lastIndexOf("\\");
  const first = path.indexOf("\\");
  if (first > 0) fields["registry.hive"] = path.slice(0, first);
  if (valueSet && last > first) {
    fields["registry.key"] = path.slice(first + 1, last);
    fields["registry.value"] = path.slice(last + 1);
  } else if (first > 0) fields["registry.key"] = path.slice(first + 1);
  if (data !== undefined) fields["registry.data.strings"] = data;
}

function putText(fields: Fields, key: string, value: string | undefined): void {
  if (value !== undefined) fields[key] = value;
}
