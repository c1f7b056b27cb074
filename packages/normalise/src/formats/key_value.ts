/** Lines of key=value pairs (logfmt and its relatives) to fields, by a mapping that the configuration declares. Knows no product. */
import { defineFormat, newFields } from "@vedette/kit";
import { declaredMapping, declaredReader } from "../declared.ts";
import { share } from "../detect.ts";
import { keyValuePairs } from "../text/key_value.ts";

/** So many pairs make a line one of pairs: prose may hold an equals sign or two. */
const minPairs = 3;

export default defineFormat({
  name: "key_value",
  summary: "Lines of key=value pairs: logfmt, and firewalls that write so (SonicWall, FortiGate, Sophos).",
  description: "Every pair is kept under its key, below `prefix` where one is set. `time`, `map`, `set` say what the pairs mean in ECS.",
  stability: "beta",
  config: declaredMapping,
  detect: (sample) =>
    0.6 *
    share(sample, (line) => {
      const found = keyValuePairs(line.slice(0, 4_096));
      return found !== undefined && found.count >= minPairs && found.whole;
    }),
  decoder(config) {
    const read = declaredReader(config, "key_value");
    return (text, context) => {
      const line = text.trimEnd();
      if (line === "") return { skip: "blank" };
      const found = keyValuePairs(line);
      const fields = newFields();
      // A line without pairs among others is a message, as a stack trace is.
      const message = found === undefined ? line : found.before;
      if (message !== "") fields["message"] = message;
      return read(found?.pairs ?? {}, fields, context);
    };
  },
  examples: [
    {
      title: "logfmt",
      input: 'time=2024-05-01T10:00:00Z level=warn msg="login refused" user=eve ip=192.0.2.7 tries=3',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.dataset": "key_value",
          time: "2024-05-01T10:00:00Z",
          level: "warn",
          user: "eve",
          ip: "192.0.2.7",
          tries: "3",
          message: "login refused",
        },
      ],
    },
    {
      title: "a firewall's line, mapped",
      config: {
        prefix: "fortinet.",
        time: ["eventtime"],
        map: { "source.ip": "srcip", "destination.ip": "dstip", "destination.port": "dstport", "event.action": "action" },
        set: { "event.category": "network", "event.module": "fortinet" },
      },
      input:
        '<189>date=2024-05-01 time=10:00:00 devname="fw1" eventtime=1714557600123456789 srcip=192.0.2.7 dstip=198.51.100.2 dstport=443 action="deny"',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123457Z",
          "event.kind": "event",
          "event.dataset": "key_value",
          "fortinet.date": "2024-05-01",
          "fortinet.time": "10:00:00",
          "fortinet.devname": "fw1",
          "fortinet.eventtime": "1714557600123456789",
          "fortinet.srcip": "192.0.2.7",
          "fortinet.dstip": "198.51.100.2",
          "fortinet.dstport": "443",
          "fortinet.action": "deny",
          "source.ip": "192.0.2.7",
          "destination.ip": "198.51.100.2",
          "destination.port": 443,
          "event.action": "deny",
          "event.category": "network",
          "event.module": "fortinet",
          "related.ip": ["192.0.2.7", "198.51.100.2"],
        },
      ],
    },
  ],
});
