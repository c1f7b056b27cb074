/** Shapes of tools and versions that the recorded sets do not hold: the same event, read alike. */
import { expect, test } from "vitest";
import { formats } from "./registry.ts";

const known = await formats();
const decode = known.get("json")!.decoder(known.get("json")!.config.parse({}));
const context = { preamble: undefined, received: 1_714_600_000_000_000, peer: undefined, source: "s", stream: "x" };
const data = { TargetUserName: "root", IpAddress: "192.0.2.7", LogonType: "3" };
const provider = "Microsoft-Windows-Security-Auditing";

test.each([
  [
    "Winlogbeat 6",
    {
      "@timestamp": "2024-05-01T10:00:00.123Z",
      beat: { version: "6.8.0" },
      event_id: 4625,
      log_name: "Security",
      source_name: provider,
      computer_name: "DC1",
      record_number: "7",
      level: "Information",
      event_data: data,
      message: "An account failed to log on.",
    },
  ],
  [
    "Velociraptor",
    {
      System: {
        Provider: { Name: provider },
        EventID: { Value: 4625 },
        TimeCreated: { SystemTime: 1714557600.123 },
        EventRecordID: 7,
        Channel: "Security",
        Computer: "DC1",
      },
      EventData: data,
      Message: "An account failed to log on.",
    },
  ],
  [
    "Elastic Agent",
    {
      "@timestamp": "2024-05-01T10:00:00.123Z",
      data_stream: { dataset: "system.security" },
      event: { code: "4625", provider },
      winlog: { channel: "Security", event_id: "4625", computer_name: "DC1", record_id: "7", event_data: data },
    },
  ],
])("%s", (_name, document) => {
  const result = decode(JSON.stringify(document), context);
  expect(result).toMatchObject({
    time: 1_714_557_600_123_000,
    fields: {
      "event.dataset": "windows.security",
      "event.code": "4625",
      "event.action": "logon-failed",
      "host.name": "DC1",
      "user.name": "root",
      "source.ip": "192.0.2.7",
      "winlog.record_id": 7,
    },
  });
});
