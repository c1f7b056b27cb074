/** Windows event log records in JSON or XML, however they were collected, to ECS. Knows no way of transport. */
import { type Decoded, type DecodeResult, defineFormat, type JsonObject, type JsonValue, z } from "@vedette/kit";
import type { Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { deeperThan, isFlaw, isObject, maxDepth, parseObject } from "../json/parse.ts";
import { parseRfc3339 } from "../time/parse.ts";
import { isBeats, readBeats } from "../windows_beats.ts";
import type { Meaning } from "../windows_codes.ts";
import { deriveEcs } from "../windows_ecs.ts";
import { isEvtx, readEvtx } from "../windows_evtx.ts";
import { isFlat, maxOffset, readFlat } from "../windows_nxlog.ts";
import { type Place, placeOf } from "../windows_place.ts";
import { putDatum, type WindowsRecord } from "../windows_record.ts";
import { isEventXml, parseEventXml } from "../windows_xml.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: "a Windows event: {Event: {System: …}} as evtx_dump prints, Winlogbeat's winlog.*, or NXLog's flat Channel and EventID",
};
const badXml: Flaw = { code: "bad_event_xml", expected: "one whole <Event> element, as the event log writes it" };

/** An event of any of the three shapes; undefined for other documents. */
function read(object: JsonObject): WindowsRecord | undefined {
  if (isFlat(object)) return readFlat(object);
  if (isBeats(object)) return readBeats(object);
  return isEvtx(object) ? readEvtx(object) : undefined;
}

function decodeObject(object: JsonObject): Decoded | Flaw {
  const record = read(object);
  if (record === undefined) return unknownShape;
  const place = placeOf(record.channel, record.provider);
  completeUnnamed(record, place);
  const meaning = record.code === undefined ? undefined : place.meanings.get(record.code);
  putHeader(record, place);
  putMeaning(record, place, meaning);
  deriveEcs(record, place.family, meaning);
  if (record.count === 0 && record.message !== undefined) record.fields["message"] = record.message;
  return { time: timeOf(record, place), fields: record.fields };
}

/** Providers without a manifest write unnamed data: `Data` in the event log's XML, `param1` … in Winlogbeat, nothing but the message in flat exports. */
function completeUnnamed(record: WindowsRecord, place: Place): void {
  const fields = record.fields;
  const first = fields["winlog.event_data.param1"];
  const data = fields["winlog.event_data.Data"];
  if (place.family === "powershell" && record.count === 0) putDatum(record, "Data", record.message);
  else if (first === undefined && typeof data === "string") putDatum(record, "param1", data);
  // The Service Control Manager's manifest really names its data param1 and so on.
  else if (first !== undefined && data === undefined && record.provider !== "Service Control Manager")
    putDatum(record, "Data", paramsOf(record));
}

function paramsOf(record: WindowsRecord): JsonValue {
  const params: JsonValue[] = [];
  for (let i = 1; i <= record.count; i++) {
    const value = record.fields[`winlog.event_data.param${i}`];
    if (typeof value !== "string") break;
    params.push(value);
  }
  return params.length === 1 ? params[0]! : params;
}

function putHeader(record: WindowsRecord, place: Place): void {
  const fields = record.fields;
  fields["event.kind"] = "event";
  fields["event.module"] = "windows";
  fields["event.dataset"] = place.dataset;
  if (record.channel !== undefined) fields["winlog.channel"] = record.channel;
  if (record.provider !== undefined) {
    fields["winlog.provider_name"] = record.provider;
    fields["event.provider"] = record.provider;
  }
  if (record.computer !== undefined) {
    fields["winlog.computer_name"] = record.computer;
    fields["host.name"] = record.computer;
  }
  if (record.code !== undefined) fields["event.code"] = record.code;
  if (record.recordId !== undefined) fields["winlog.record_id"] = record.recordId;
  if (record.keywords !== undefined) fields["winlog.keywords"] = record.keywords;
  if (record.level !== undefined) fields["log.level"] = record.level;
  if (record.writerPid !== undefined) fields["winlog.process.pid"] = record.writerPid;
  if (record.writerSid !== undefined) fields["winlog.user.identifier"] = record.writerSid;
}

/** ECS category of the object an access event is about; anything else is the host's own. */
const objectCategories: { readonly [type: string]: readonly string[] } = {
  File: ["file"],
  Key: ["registry"],
  Process: ["process"],
  Thread: ["process"],
  Token: ["process"],
  SAM_SERVER: ["iam"],
  SAM_DOMAIN: ["iam"],
  SAM_ALIAS: ["iam"],
  SAM_GROUP: ["iam"],
  SAM_USER: ["iam"],
  PolicyObject: ["iam"],
};
const hostCategory: readonly string[] = ["host"];

function putMeaning(record: WindowsRecord, place: Place, meaning: Meaning | undefined): void {
  const fields = record.fields;
  if (meaning !== undefined) {
    fields["event.action"] = meaning.action;
    const object = fields["winlog.event_data.ObjectType"];
    fields["event.category"] =
      meaning.category[0] === "object"
        ? ((typeof object === "string" ? objectCategories[object] : undefined) ?? hostCategory)
        : meaning.category;
    fields["event.type"] = meaning.type;
    if (meaning.alert) fields["event.kind"] = "alert";
  }
  const outcome = meaning?.outcome ?? outcomeOf(record, place);
  if (outcome !== undefined) fields["event.outcome"] = outcome;
}

/** Bits of the event log's keyword mask, as its last hexadecimal digits but thirteen. Source: winmeta.xml. */
const auditFailure = 0x1;
const auditSuccess = 0x2;

function outcomeOf(record: WindowsRecord, place: Place): "success" | "failure" | undefined {
  if (place.family !== "security") return undefined;
  const status = record.fields["winlog.event_data.Status"];
  if (typeof status === "string" && statusCodes.has(record.code ?? "")) return Number(status) === 0 ? "success" : "failure";
  const digit = record.keywords?.startsWith("0x") ? Number.parseInt(record.keywords.slice(2).padStart(16, "0").charAt(2), 16) : 0;
  return digit & auditFailure ? "failure" : digit & auditSuccess ? "success" : undefined;
}
/** Kerberos and NTLM events whose `Status` tells the outcome. */
const statusCodes: ReadonlySet<string> = new Set(["4768", "4769", "4776"]);

/**
 * Sysmon tells when a thing happened in `UtcTime`; the log's own stamp is a little later, and in flat exports may be local time. A `UtcTime` further
 * away than any time zone can explain is Sysmon's drift after a suspended machine woke up, and the log's stamp holds.
 */
function timeOf(record: WindowsRecord, place: Place): Micros | undefined {
  if (place.family !== "sysmon") return record.time;
  const text = record.fields["winlog.event_data.UtcTime"];
  const utc = typeof text === "string" ? parseRfc3339(text) : undefined;
  if (utc === undefined) return record.time;
  return record.time !== undefined && Math.abs(utc - record.time) > maxOffset ? record.time : utc;
}

/** A document, or an array of them as one record. */
function decodeText(text: string): DecodeResult {
  if (isEventXml(text)) {
    const document = parseEventXml(text);
    return document && isEvtx(document) ? decodeObject(document) : badXml;
  }
  const parsed = parseObject(text);
  if (!isFlaw(parsed)) return decodeObject(parsed);
  if (!text.trimStart().startsWith("[") || deeperThan(text, maxDepth)) return text.trim() === "" ? { skip: "blank" } : parsed;
  const all = parseObject(`{"events":${text}}`);
  if (isFlaw(all)) return all;
  const events: Decoded[] = [];
  for (const one of all["events"] as readonly JsonValue[]) {
    const decoded = isObject(one) ? decodeObject(one) : unknownShape;
    if ("code" in decoded) return decoded;
    events.push({ ...decoded, original: JSON.stringify(one) });
  }
  return events.length === 0 ? { skip: "blank" } : events;
}

const claims = (object: JsonObject): number => (isFlat(object) || isBeats(object) || isEvtx(object) ? 1 : 0);

const sysmonStart = {
  "@timestamp": "2024-03-05T10:15:30.123000Z",
  "event.kind": "event",
  "event.module": "windows",
  "event.dataset": "windows.sysmon",
  "event.provider": "Microsoft-Windows-Sysmon",
  "event.code": "1",
  "event.action": "created-process",
  "event.category": ["process"],
  "event.type": ["start"],
  "host.name": "ws1.lab.example",
  "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
  "winlog.provider_name": "Microsoft-Windows-Sysmon",
  "winlog.computer_name": "ws1.lab.example",
  "winlog.record_id": 17,
  "winlog.event_data.UtcTime": "2024-03-05 10:15:30.123",
  "winlog.event_data.ProcessGuid": "{5f3a0c11-7a2b-65e6-1c00-000000000700}",
  "winlog.event_data.ProcessId": "4242",
  "winlog.event_data.Image": "C:\\Windows\\System32\\whoami.exe",
  "winlog.event_data.CommandLine": "whoami /all",
  "winlog.event_data.User": "LAB\\ada",
  "winlog.event_data.Hashes": "MD5=0123456789ABCDEF0123456789ABCDEF",
  "process.entity_id": "{5f3a0c11-7a2b-65e6-1c00-000000000700}",
  "process.pid": 4242,
  "process.executable": "C:\\Windows\\System32\\whoami.exe",
  "process.name": "whoami.exe",
  "process.command_line": "whoami /all",
  "process.hash.md5": "0123456789abcdef0123456789abcdef",
  "user.domain": "LAB",
  "user.name": "ada",
  "related.hosts": ["ws1.lab.example"],
  "related.user": ["ada"],
  "related.hash": ["0123456789abcdef0123456789abcdef"],
};
const sysmonData =
  '"UtcTime":"2024-03-05 10:15:30.123","ProcessGuid":"{5f3a0c11-7a2b-65e6-1c00-000000000700}","ProcessId":"4242","Image":"C:\\\\Windows\\\\System32\\\\whoami.exe",' +
  '"CommandLine":"whoami /all","User":"LAB\\\\ada","Hashes":"MD5=0123456789ABCDEF0123456789ABCDEF"';

export default defineFormat({
  name: "windows_event",
  summary: "Windows event log records in JSON or XML: EVTX dumps, Winlogbeat, NXLog, and the event log's own.",
  description:
    "The same event gives the same fields in all shapes. XML is read where a record is a whole event, as wevtutil and Splunk's forwarder write it, a line each. Every event datum is kept as winlog.event_data.<Name> with its text as it was (spaces in names taken out), " +
    "and what ECS has a name for stands there too. The rendered message, which repeats the data, is kept only where there are none; the record itself is always kept.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) =>
    0.95 * share(sample, (line) => isEventXml(line) || /"(?:EventID|winlog|winlog\.channel)"\s{0,4}:/.test(line.slice(0, 4096))),
  decoder: () => decodeText,
  json: {
    anyOf: ["EventID", "winlog", "winlog.channel", "winlog.event_id", "log_name", "Event", "System", "data", "document"],
    claims,
    decode: (object) => decodeObject(object),
  },
  examples: [
    {
      title: "a process start reported by Sysmon, as evtx_dump prints it",
      input:
        '{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"TimeCreated":{"#attributes":{"SystemTime":"2024-03-05T10:15:30.130456Z"}},' +
        `"EventRecordID":17,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws1.lab.example"},"EventData":{${sysmonData.replace('"4242"', "4242")}}}}`,
      expect: [sysmonStart],
    },
    {
      title: "the same from Winlogbeat",
      input:
        '{"@timestamp":"2024-03-05T10:15:30.130Z","event":{"code":"1","provider":"Microsoft-Windows-Sysmon"},"host":{"name":"collector"},"message":"Process Create: …",' +
        '"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon","event_id":"1","record_id":17,"computer_name":"ws1.lab.example",' +
        `"event_data":{${sysmonData}}}}`,
      expect: [sysmonStart],
    },
    {
      title: "the same from NXLog",
      input:
        '{"EventTime":"2024-03-05 11:15:30","Hostname":"ws1.lab.example","EventID":1,"SourceName":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational",' +
        `"RecordNumber":17,"Message":"Process Create: …","SourceModuleName":"eventlog",${sysmonData}}`,
      expect: [sysmonStart],
    },
    {
      title: "the same in the event log's own XML",
      input:
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Sysmon'/><EventID>1</EventID>" +
        "<TimeCreated SystemTime='2024-03-05T10:15:30.130456Z'/><EventRecordID>17</EventRecordID><Channel>Microsoft-Windows-Sysmon/Operational</Channel>" +
        "<Computer>ws1.lab.example</Computer><Security/></System><EventData><Data Name='UtcTime'>2024-03-05 10:15:30.123</Data>" +
        "<Data Name='ProcessGuid'>{5f3a0c11-7a2b-65e6-1c00-000000000700}</Data><Data Name='ProcessId'>4242</Data>" +
        "<Data Name='Image'>C:\\Windows\\System32\\whoami.exe</Data><Data Name='CommandLine'>whoami /all</Data><Data Name='User'>LAB\\ada</Data>" +
        "<Data Name='Hashes'>MD5=0123456789ABCDEF0123456789ABCDEF</Data></EventData></Event>",
      expect: [sysmonStart],
    },
    {
      title: "a failed logon",
      input:
        '{"EventTime":"2024-03-05T10:15:31Z","Hostname":"dc1","EventType":"AUDIT_FAILURE","SeverityValue":4,"Severity":"ERROR","EventID":4625,"Keywords":-9218868437227405312,' +
        '"SourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","RecordNumber":90210,"SubjectUserName":"-","TargetUserName":"ada","TargetDomainName":"LAB",' +
        '"LogonType":"3","Status":"0xc000006d","IpAddress":"::ffff:192.0.2.7","IpPort":"50122"}',
      expect: [
        {
          "@timestamp": "2024-03-05T10:15:31.000000Z",
          "event.kind": "event",
          "event.module": "windows",
          "event.dataset": "windows.security",
          "event.provider": "Microsoft-Windows-Security-Auditing",
          "event.code": "4625",
          "event.action": "logon-failed",
          "event.category": ["authentication"],
          "event.type": ["start"],
          "event.outcome": "failure",
          "host.name": "dc1",
          "log.level": "information",
          "winlog.channel": "Security",
          "winlog.provider_name": "Microsoft-Windows-Security-Auditing",
          "winlog.computer_name": "dc1",
          "winlog.record_id": 90210,
          "winlog.keywords": "0x8010000000000000",
          "winlog.event_data.SubjectUserName": "-",
          "winlog.event_data.TargetUserName": "ada",
          "winlog.event_data.TargetDomainName": "LAB",
          "winlog.event_data.LogonType": "3",
          "winlog.event_data.Status": "0xc000006d",
          "winlog.event_data.IpAddress": "::ffff:192.0.2.7",
          "winlog.event_data.IpPort": "50122",
          "winlog.logon.type": "Network",
          "user.name": "ada",
          "user.domain": "LAB",
          "source.ip": "192.0.2.7",
          "source.port": 50122,
          "related.hosts": ["dc1"],
          "related.user": ["ada"],
          "related.ip": ["192.0.2.7"],
        },
      ],
    },
    { title: "another document", input: '{"a":1}', expect: { flaw: "unknown_shape" } },
  ],
});
