/** Suricata's and Snort's one-line alerts (fast.log, alert_fast) to ECS. Knows no signature. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { addressOf } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { usDate } from "../time/stamps.ts";

const notAlert: Flaw = {
  code: "bad_suricata_fast",
  expected: "MM/DD/YYYY-hh:mm:ss.ffffff  [**] [1:2008578:4] MESSAGE [**] [Classification: …] [Priority: 2] {UDP} A:1 -> B:2",
};

const head = /^(\S{17,27}) {1,4}(?:\[(\w{1,16})\] )?\[\*\*\] \[(\d{1,10}):(\d{1,10}):(\d{1,10})\] /;
const tail = / \[\*\*\] (?:\[Classification: ([^\]]{0,256})\] )?\[Priority: (\d{1,3})\] \{([\w-]{1,32})\} (\S{2,64}) -> (\S{2,64})$/;

export default defineFormat({
  name: "suricata_fast",
  summary: "Suricata's fast.log and Snort's alert_fast: one line an alert.",
  description: "The stamps name no zone and count as UTC. EVE says more: prefer it where you can.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => head.test(line.slice(0, 256)) && tail.test(line.slice(-512))),
  decoder: () => (text) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    const from = head.exec(line.slice(0, 256));
    const to = tail.exec(line.slice(-512));
    const time = from === null ? undefined : usDate(from[1]!);
    if (from === null || to === null || time === undefined) return notAlert;
    const fields = newFields();
    fields["event.kind"] = "alert";
    fields["event.category"] = ["network", "intrusion_detection"];
    fields["event.type"] = from[2] === "Drop" ? "denied" : "info";
    fields["event.module"] = "suricata";
    fields["event.dataset"] = "suricata.fast";
    fields["rule.id"] = from[4]!;
    fields["rule.version"] = from[5]!;
    fields["rule.name"] = line.slice(from[0].length, line.length - to[0].length);
    if (to[1] !== undefined && to[1] !== "(null)") fields["rule.category"] = to[1];
    fields["event.severity"] = Number(to[2]);
    fields["network.transport"] = to[3]!.toLowerCase();
    for (const [side, word] of [
      ["source", to[4]!],
      ["destination", to[5]!],
    ] as const) {
      // Of an IPv6 address the last part is the port too.
      const colon = word.lastIndexOf(":");
      const address = addressOf(word.slice(0, Math.max(colon, 0))) ?? addressOf(word);
      if (address !== undefined) fields[`${side}.ip`] = address;
      const port = Number(word.slice(colon + 1));
      if (colon > 0 && port >= 0 && port <= 65_535) fields[`${side}.port`] = port;
    }
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a scan",
      input:
        "05/01/2024-10:29:32.251216  [**] [1:2008578:4] ET SCAN Sipvicious Scan [**] [Classification: Attempted Information Leak] [Priority: 2] {UDP} 192.0.2.7:5116 -> 198.51.100.2:5060",
      expect: [
        {
          "@timestamp": "2024-05-01T10:29:32.251216Z",
          "event.kind": "alert",
          "event.category": ["network", "intrusion_detection"],
          "event.type": "info",
          "event.module": "suricata",
          "event.dataset": "suricata.fast",
          "rule.id": "2008578",
          "rule.version": "4",
          "rule.name": "ET SCAN Sipvicious Scan",
          "rule.category": "Attempted Information Leak",
          "event.severity": 2,
          "network.transport": "udp",
          "source.ip": "192.0.2.7",
          "source.port": 5116,
          "destination.ip": "198.51.100.2",
          "destination.port": 5060,
          "related.ip": ["192.0.2.7", "198.51.100.2"],
        },
      ],
    },
    {
      title: "another line",
      input: "05/01/2024-10:29:32.251216 x",
      expect: {
        flaw: "bad_suricata_fast",
      },
    },
  ],
});
