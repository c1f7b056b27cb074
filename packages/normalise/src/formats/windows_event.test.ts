/** The three shapes agree, names and texts are kept, and real attack recordings decode with their meaning. */
import { join } from "node:path";
import { type Decoded, type JsonObject, newFields } from "@vedette/kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flatten } from "../json/flatten.ts";
import { readJsonLines, sharedSet, unzip } from "../shared_sets.test.data.ts";
import { formatTime, parseAnyTime } from "../time/parse.ts";
import windowsEvent from "./windows_event.ts";

const context = { preamble: undefined, received: 0, peer: undefined, source: "test", stream: "test" };
const json = windowsEvent.json!;

function decode(document: object): Decoded {
  expect(json.claims(document as JsonObject, context)).toBe(1);
  const result = json.decode(document as JsonObject, JSON.stringify(document), context);
  if ("code" in result || "skip" in result || Array.isArray(result)) throw new Error(`not one event: ${JSON.stringify(result)}`);
  return result as Decoded;
}

interface Header {
  readonly channel: string;
  readonly provider: string;
  readonly code: number;
  readonly computer: string;
  readonly record: number;
}
type Data = { readonly [name: string]: string };
const evtx = (h: Header, data: Data) => ({
  Event: {
    System: {
      Provider: { "#attributes": { Name: h.provider } },
      EventID: h.code,
      Keywords: "0x8020000000000000",
      TimeCreated: { "#attributes": { SystemTime: "2024-03-05T10:15:30.123000Z" } },
      EventRecordID: h.record,
      Channel: h.channel,
      Computer: h.computer,
    },
    EventData: data,
  },
});
const beats = (h: Header, data: Data) => ({
  "@timestamp": "2024-03-05T10:15:30.123Z",
  event: { code: String(h.code), provider: h.provider },
  winlog: {
    channel: h.channel,
    provider_name: h.provider,
    computer_name: h.computer,
    record_id: h.record,
    event_id: String(h.code),
    keywords: ["Audit Success"],
    event_data: data,
  },
  message: "repeats the data",
});
const dotted = (h: Header, data: Data) => ({
  "@timestamp": "2024-03-05T10:15:30.123Z",
  "event.code": String(h.code),
  "winlog.channel": h.channel,
  "winlog.provider_name": h.provider,
  "winlog.computer_name": h.computer,
  "winlog.record_id": String(h.record),
  "winlog.keywords": "Audit Success",
  ...Object.fromEntries(Object.entries(data).map(([name, value]) => [`winlog.event_data.${name}`, value])),
});
const nxlog = (h: Header, data: Data) => ({
  EventTime: "2024-03-05T10:15:30.123Z",
  Hostname: h.computer,
  Keywords: -(2 ** 63) + 2 ** 53,
  SeverityValue: 2,
  EventID: h.code,
  SourceName: h.provider,
  RecordNumber: h.record,
  Channel: h.channel,
  Message: "repeats the data",
  SourceModuleName: "eventlog",
  ...data,
});

describe("the shapes agree", () => {
  const names = (
    "Image CommandLine ParentImage ProcessId ProcessGuid User TargetObject Details TargetFilename ImageLoaded Hashes SourceImage SourceIp DestinationPort QueryName QueryResults " +
    "SubjectUserName SubjectUserSid TargetUserName TargetDomainName LogonType IpAddress IpPort ObjectName ObjectType ProcessName ShareName RelativeTargetName ServiceName ScriptBlockText " +
    "ContextInfo Path param1 Status Protocol Direction Address Name Type"
  ).split(" ");
  const data = fc.dictionary(
    fc.oneof(fc.constantFrom(...names), fc.stringMatching(/^Z[A-Za-z0-9_]{1,20}$/)),
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom("-", "", "4242", "0x3e7", "A\\B", "MD5=00,SHA256=11", "::1;::ffff:192.0.2.1;", "File"),
    ),
    { minKeys: 1, maxKeys: 12, noNullPrototype: true },
  );
  const header = fc.record({
    channel: fc.constantFrom(
      "Security",
      "System",
      "Microsoft-Windows-Sysmon/Operational",
      "Microsoft-Windows-PowerShell/Operational",
      "Some/Channel",
    ),
    provider: fc.constantFrom(
      "Microsoft-Windows-Security-Auditing",
      "Service Control Manager",
      "Microsoft-Windows-Sysmon",
      "Some Provider",
    ),
    code: fc.constantFrom(1, 3, 7, 10, 13, 22, 4624, 4625, 4663, 4688, 4720, 5145, 5156, 7045, 4103, 4104, 99999),
    computer: fc.constantFrom("ws1", "dc1.lab.example"),
    record: fc.nat(1_000_000),
  });

  test("on every field and on the time", () => {
    fc.assert(
      fc.property(header, data, (h, d) => {
        const [first, ...others] = [evtx(h, d), beats(h, d), dotted(h, d), nxlog(h, d)].map((document) => {
          const { time, fields } = decode(document);
          // Only some shapes tell the level.
          delete fields["log.level"];
          return { time: time === undefined ? undefined : formatTime(time), fields: { ...fields } };
        });
        for (const other of others) expect(other).toEqual(first);
        for (const name in d) expect(first!.fields[`winlog.event_data.${name}`]).toBe(d[name]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("event data", () => {
  const system = { Channel: "Application", Provider: { "#attributes": { Name: "X" } }, EventID: 1, Computer: "c" };

  test("numbers and truth values become text, null is absent, spaces in names go", () => {
    const { fields } = decode({
      Event: { System: system, EventData: { "Threat Name": "a", "Client SID:": "b", N: 5, B: true, Nothing: null, Empty: "" } },
    });
    expect(fields["winlog.event_data.ThreatName"]).toBe("a");
    expect(fields["winlog.event_data.ClientSID"]).toBe("b");
    expect(fields["winlog.event_data.N"]).toBe("5");
    expect(fields["winlog.event_data.B"]).toBe("true");
    expect(fields["winlog.event_data.Empty"]).toBe("");
    expect("winlog.event_data.Nothing" in fields).toBe(false);
  });

  test("user data count as event data, whatever element wraps them", () => {
    const { fields } = decode({
      Event: {
        System: { ...system, Channel: "Security", EventID: 1102 },
        UserData: { LogFileCleared: { "#attributes": { xmlns: "u" }, SubjectUserName: "ada" } },
      },
    });
    expect(fields["winlog.event_data.SubjectUserName"]).toBe("ada");
    expect(fields["event.action"]).toBe("cleared-audit-log");
    expect(fields["user.name"]).toBe("ada");
  });

  test("unnamed data are found as Data and as param1, in EVTX and from Winlogbeat", () => {
    const fromEvtx = decode({ Event: { System: system, EventData: { Data: { "#text": ["sa", " Reason"] } } } }).fields;
    const fromBeats = decode({ winlog: { channel: "Application", event_data: { param1: "sa", param2: " Reason" } } }).fields;
    for (const fields of [fromEvtx, fromBeats]) {
      expect(fields["winlog.event_data.Data"]).toEqual(["sa", " Reason"]);
      expect(fields["winlog.event_data.param2"]).toBe(" Reason");
    }
  });

  test("named data in generic XML converters' form", () => {
    const { fields } = decode({
      Event: {
        System: { ...system, EventID: { "#text": 7, "#attributes": { Qualifiers: 1 } } },
        EventData: { Data: [{ "@Name": "Image", "#text": "x" }] },
      },
    });
    expect(fields["winlog.event_data.Image"]).toBe("x");
    expect(fields["event.code"]).toBe("7");
  });

  test("a message is kept only where there are no data", () => {
    expect(decode({ EventID: 1, Channel: "X", Hostname: "h", Message: "m" }).fields["message"]).toBe("m");
    expect(decode({ EventID: 1, Channel: "X", Hostname: "h", Message: "m", A: "b" }).fields["message"]).toBeUndefined();
  });

  test("thousands of data are cut and counted", () => {
    const data = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`N${i}`, "v"]));
    const { fields } = decode({ Event: { System: system, EventData: data } });
    expect(Object.keys(fields).length).toBeLessThan(450);
    expect(fields["vedette.fields_dropped"]).toBe(4600);
  });

  test("a name such as __proto__ is a name", () => {
    const document = JSON.parse('{"Event":{"System":{"EventID":1},"EventData":{"__proto__":"p","constructor":"c"}}}') as object;
    const { fields } = decode(document);
    expect(fields["winlog.event_data.__proto__"]).toBe("p");
    expect(fields["winlog.event_data.constructor"]).toBe("c");
  });
});

describe("time", () => {
  const flat = { EventID: 4624, Channel: "Security", Hostname: "h", SourceModuleName: "eventlog" };
  const at = (document: object) => {
    const { time } = decode(document);
    return time === undefined ? undefined : formatTime(time);
  };

  test("the collector's own stamps tell the zone of NXLog's local time", () => {
    const stamps = { EventTime: "2020-09-22 04:38:02", EventReceivedTime: "2020-09-22 04:38:03", "@timestamp": "2020-09-22T08:38:03.659Z" };
    expect(at({ ...flat, ...stamps })).toBe("2020-09-22T08:38:02.000000Z");
    expect(at({ ...flat, EventTime: stamps.EventTime })).toBe("2020-09-22T04:38:02.000000Z");
    expect(at({ ...flat, "@timestamp": stamps["@timestamp"] })).toBe("2020-09-22T08:38:03.659000Z");
  });

  test("Sysmon's UtcTime holds unless it is further off than a time zone", () => {
    const sysmon = { EventID: 3, Channel: "Microsoft-Windows-Sysmon/Operational", Hostname: "h", TimeCreated: "2023-07-19T09:02:19.613Z" };
    expect(at({ ...sysmon, UtcTime: "2023-07-19 16:02:19.600" })).toBe("2023-07-19T16:02:19.600000Z");
    expect(at({ ...sysmon, UtcTime: "2023-07-18 14:43:52.031" })).toBe("2023-07-19T09:02:19.613000Z");
  });
});

test("SQL Server's log-ins name account and client, in data without names or in a list", () => {
  const failed = { channel: "Application", provider: "MSSQLSERVER", code: "18456" };
  const client = { "user.name": "sa", "source.ip": "203.0.113.9", "event.outcome": "failure", "related.ip": ["203.0.113.9"] };
  const list = ["sa", " Reason: Password did not match that for the login provided.", " [CLIENT: 203.0.113.9]"];
  const System = { Channel: failed.channel, Provider: { "#attributes": { Name: failed.provider } }, EventID: 18456 };
  expect(decode({ Event: { System, EventData: { Data: list } } })).toMatchObject({ fields: client });
  const winlog = { channel: failed.channel, provider_name: failed.provider, event_id: failed.code };
  const event_data = { param1: list[0], param2: list[1], param3: list[2] };
  expect(decode({ winlog: { ...winlog, event_data } })).toMatchObject({ fields: client });
  // a name that looks like a client is a name
  const odd = ["[CLIENT: 192.0.2.1]", " Reason: none", " [CLIENT: <local machine>]"];
  expect(decode({ Event: { System, EventData: { Data: odd } } })).not.toHaveProperty("fields.source.ip");
});

test("an array of events is one event each, with its own original", () => {
  const events = [{ Event: { System: { EventID: 1, Channel: "A" } } }, { Event: { System: { EventID: 2, Channel: "A" } } }];
  const result = windowsEvent.decoder({})(JSON.stringify(events), context);
  expect(Array.isArray(result) && result.map((one: Decoded) => [one.fields["event.code"], one.original])).toEqual([
    ["1", JSON.stringify(events[0])],
    ["2", JSON.stringify(events[1])],
  ]);
});

/** Events by what they are, and how many had no category. */
function summarise(documents: Iterable<object>) {
  const datasets: { [dataset: string]: number } = {};
  const uncategorised: string[] = [];
  let events = 0;
  for (const document of documents) {
    const { time, fields } = decode(document);
    expect(time).toBeDefined();
    expect(fields["host.name"]).toBeDefined();
    events++;
    const dataset = String(fields["event.dataset"]);
    datasets[dataset] = (datasets[dataset] ?? 0) + 1;
    if (fields["event.category"] === undefined) uncategorised.push(`${fields["winlog.provider_name"]} ${fields["event.code"]}`);
  }
  return { events, datasets, uncategorised: [...new Set(uncategorised)].sort() };
}

const otrf = sharedSet("otrf-security-datasets");
test.skipIf(otrf === undefined)("OTRF recordings: all flat shapes decode", () => {
  const archives = [
    "credential_access/host/covenant_dcsync_dcerpc_drsuapi_DsGetNCChanges",
    "credential_access/host/cmd_sam_copy_esentutl",
    "credential_access/host/psh_lsass_memory_dump_comsvcs",
    "execution/host/empire_launcher_vbs",
    "other/raccine_samples",
    "defense_evasion/host/cmd_mshta_vbscript_execute_psh",
  ];
  function* documents() {
    for (const archive of archives) {
      for (const { text } of unzip(join(otrf!, "atomic/windows", `${archive}.zip`))) {
        for (const line of text.split("\n")) if (line.trim() !== "") yield JSON.parse(line) as object;
      }
    }
  }
  expect(summarise(documents())).toMatchInlineSnapshot(`
    {
      "datasets": {
        "windows.application": 6,
        "windows.powershell": 224,
        "windows.security": 1316,
        "windows.sysmon": 3617,
        "windows.system": 4,
        "windows.wmi_activity": 1,
      },
      "events": 5168,
      "uncategorised": [
        "Microsoft-Windows-Ntfs 98",
      ],
    }
  `);
});

const samples = sharedSet("evtx-attack-samples");
test.skipIf(samples === undefined)("EVTX attack samples: 4,170 events decode", () => {
  const files = readJsonLines(join(samples!, "files.jsonl.gz")) as { readonly events: readonly object[] }[];
  expect(summarise(files.flatMap((file) => file.events))).toMatchInlineSnapshot(`
    {
      "datasets": {
        "windows.application": 391,
        "windows.application_experience_program_compatibility_assistant": 4,
        "windows.application_experience_program_telemetry": 7,
        "windows.bits_client": 1543,
        "windows.powershell": 4,
        "windows.remotedesktopservices_rdpcorets": 40,
        "windows.security": 280,
        "windows.sysmon": 1667,
        "windows.system": 6,
        "windows.terminalservices_remoteconnectionmanager": 228,
      },
      "events": 4170,
      "uncategorised": [
        "Microsoft-Windows-Application-Experience 500",
        "Microsoft-Windows-Program-Compatibility-Assistant 17",
        "Microsoft-Windows-Security-SPP 1040",
        "Office Software Protection Platform Service 1040",
      ],
    }
  `);
});

const sigma = sharedSet("sigma");
test.skipIf(sigma === undefined)("Sigma's regression events keep what rules look for", () => {
  const cases = readJsonLines(join(sigma!, "regression-cases.jsonl.gz")) as { readonly events: readonly JsonObject[] }[];
  let data = 0;
  for (const event of cases.flatMap((one) => one.events)) {
    const { fields } = decode(event);
    const eventData = (event["Event"] as JsonObject)["EventData"] as JsonObject | null;
    for (const name in eventData ?? {}) {
      const value = eventData![name];
      if (typeof value !== "string" && typeof value !== "number") continue;
      data++;
      expect(fields[`winlog.event_data.${name.replaceAll(" ", "")}`]).toBe(String(value));
    }
  }
  expect(data).toBeGreaterThan(1500);
});

const elastic = sharedSet("elastic-package");
test.skipIf(elastic === undefined)("Elastic's own pipeline tells the same of its test events", () => {
  const cases = readJsonLines(join(elastic!, "cases.jsonl.gz")) as {
    readonly package: string;
    readonly data_stream: string;
    readonly input_events: readonly JsonObject[];
    readonly expected: readonly JsonObject[];
  }[];
  const compared =
    /^(?:event\.(?:action|category|type|code|provider)|user|group|process|source|file|registry|service|winlog\.(?:logon|channel|event_data))/;
  let values = 0;
  for (const one of cases.filter((c) => c.package === "system" && c.data_stream === "security")) {
    for (const [i, input] of one.input_events.entries()) {
      const expected = newFields();
      flatten(one.expected[i]!, expected);
      const { time, fields } = decode(input);
      expect(time).toBe(parseAnyTime(expected["@timestamp"]));
      for (const key of Object.keys(expected)) {
        // Its names for the bits of NewUacValue are derived, not told by the event.
        if (!compared.test(key) || key.endsWith(".NewUACList")) continue;
        values++;
        expect([key, [fields[key]].flat()]).toEqual([key, [expected[key]].flat()]);
      }
    }
  }
  expect(values).toBeGreaterThan(200);
});

describe("what EVTX-to-JSON tools make of one and the same logon", () => {
  const data = { TargetUserName: "ada", LogonType: "3", IpAddress: "192.0.2.7" };
  const provider = { Name: "Microsoft-Windows-Security-Auditing" };
  const stamp = { SystemTime: "2024-03-05T10:15:30.123Z" };
  const rest = { EventRecordID: 17, Channel: "Security", Computer: "dc1" };
  const beside = {
    Event: {
      System: {
        ...rest,
        EventID: 4624,
        EventID_attributes: { Qualifiers: "" },
        Provider_attributes: provider,
        TimeCreated_attributes: stamp,
      },
      EventData: data,
    },
  };
  const apart = {
    Event: {
      System: { ...rest, EventID: 4624, Provider: { "#attributes": provider }, TimeCreated: { "#attributes": stamp } },
      EventData: data,
    },
  };
  test.each([
    ["evtx_dump", apart],
    ["evtx_dump --separate-json-attributes, Chainsaw's dump", { ...beside, Event_attributes: { xmlns: "x" } }],
    ["evtx_dump's records", { event_record_id: 17, timestamp: "2024-03-05T10:15:30.123Z", data: apart }],
    [
      "a hit of Chainsaw's hunt",
      { group: "Sigma", kind: "individual", name: "x", document: { kind: "evtx", path: "a.evtx", data: beside } },
    ],
  ])("%s", (_, document) => {
    const { time, fields } = decode(document);
    expect(time).toBe(1_709_633_730_123_000);
    expect(fields).toMatchObject({
      "event.code": "4624",
      "event.provider": provider.Name,
      "event.action": "logged-in",
      "user.name": "ada",
      "source.ip": "192.0.2.7",
      "host.name": "dc1",
    });
  });
});
