/** FortiGate firewalls' key=value logs to ECS, bare or in syslog. Knows no other product of Fortinet. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, FieldValue, Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { compileMapping } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { keyValuePairs } from "../text/key_value.ts";
import { epochOfAnyUnit, parseRfc3339 } from "../time/parse.ts";

const notFortigate: Flaw = {
  code: "bad_fortigate",
  expected: "a FortiGate line: date=2024-05-01 time=10:00:00 devname=… logid=… type=… subtype=…",
};

const map = compileMapping({
  "source.ip": "srcip",
  "source.port": "srcport",
  "source.bytes": "sentbyte",
  "source.packets": "sentpkt",
  "source.nat.ip": "transip",
  "source.nat.port": "transport",
  "source.mac": "srcmac",
  "destination.ip": "dstip",
  "destination.port": "dstport",
  "destination.bytes": "rcvdbyte",
  "destination.packets": "rcvdpkt",
  "destination.domain": "hostname",
  "observer.name": "devname",
  "observer.serial_number": "devid",
  "observer.ingress.interface.name": "srcintf",
  "observer.egress.interface.name": "dstintf",
  "event.code": "logid",
  "event.action": "action",
  "event.reason": "reason",
  "log.level": "level",
  message: "msg",
  "user.name": ["user", "unauthuser"],
  "group.name": "group",
  "network.protocol": "app",
  "network.iana_number": "proto",
  "rule.id": ["policyid", "attackid"],
  "rule.name": ["attack", "policyname", "virus"],
  "url.domain": "hostname",
  "url.path": "url",
  "process.command_line": "cmd",
  "file.name": "filename",
});

const kinds = new Map<string, FieldValue>([
  ["traffic", "network"],
  ["utm/ips", ["network", "intrusion_detection"]],
  ["utm/virus", ["network", "malware"]],
  ["utm/webfilter", ["network", "web"]],
  ["utm/dns", "network"],
  ["event/user", "authentication"],
  ["event/vpn", ["network", "session"]],
  ["event/system", "configuration"],
]);

/** Words of `action` and `status` that say how it ended. */
const refused = /^(?:deny|denied|blocked|block|drop(?:ped)?|reset|fail(?:ed|ure)?|ssl-login-fail|error|timeout)/i;
const passed = /^(?:accept|allow(?:ed)?|pass(?:through)?|permit|success(?:ful)?|close|login|tunnel-up)/i;

function finish(fields: Fields, type: string, subtype: string, words: readonly string[]): void {
  fields["event.category"] = kinds.get(`${type}/${subtype}`) ?? kinds.get(type) ?? "host";
  if (type === "event" && words.some((word) => word === "login" || word === "ssl-login-fail")) fields["event.category"] = "authentication";
  const isRefused = words.some((word) => refused.test(word));
  if (isRefused) fields["event.outcome"] = "failure";
  else if (words.some((word) => passed.test(word))) fields["event.outcome"] = "success";
  if (type === "traffic") fields["event.type"] = ["connection", isRefused ? "denied" : "allowed"];
  else fields["event.type"] = type === "utm" ? (isRefused ? "denied" : "info") : subtype === "system" ? "change" : "info";
  const protocol = fields["network.iana_number"];
  if (protocol === "6" || protocol === "17") fields["network.transport"] = protocol === "6" ? "tcp" : "udp";
  else if (protocol === "1") fields["network.transport"] = "icmp";
}

const looksLike = (line: string): boolean =>
  /(?:^|[ >])date=\d{4}-\d\d-\d\d /.test(line.slice(0, 320)) && line.includes("logid=") && line.includes(" type=");

export default defineFormat({
  name: "fortigate",
  summary: "FortiGate firewalls: traffic, UTM and event logs as key=value lines.",
  description: "Every pair is kept as fortinet.firewall.<key>.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, looksLike),
  decoder: () => (text) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    const found = looksLike(line) ? keyValuePairs(line) : undefined;
    if (found === undefined) return notFortigate;
    const pairs = found.pairs as { readonly [key: string]: string | undefined };
    const fields = newFields();
    fields["event.kind"] = pairs["type"] === "utm" ? "alert" : "event";
    fields["event.module"] = "fortinet";
    fields["event.dataset"] = "fortinet.firewall";
    fields["observer.vendor"] = "Fortinet";
    for (const key in pairs) if (pairs[key] !== "" && pairs[key] !== "N/A") fields[`fortinet.firewall.${key}`] = pairs[key]!;
    map(found.pairs, fields);
    finish(fields, pairs["type"] ?? "", pairs["subtype"] ?? "", [pairs["action"] ?? "", pairs["status"] ?? "", pairs["result"] ?? ""]);
    relate(fields);
    const epoch = Number(pairs["eventtime"] ?? Number.NaN);
    const time = Number.isFinite(epoch) ? epochOfAnyUnit(epoch) : parseRfc3339(`${pairs["date"]}T${pairs["time"]}${pairs["tz"] ?? ""}`);
    return { time, fields };
  },
  examples: [
    {
      title: "refused traffic",
      input:
        '<189>date=2024-05-01 time=10:00:00 devname="fw1" devid="FG1" eventtime=1714557600123456 logid="0000000013" type="traffic" subtype="forward" level="notice" srcip=192.0.2.7 srcport=4242 srcintf="wan1" dstip=198.51.100.2 dstport=22 dstintf="lan" proto=6 action="deny" policyid=0 sentbyte=0',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123456Z",
          "event.kind": "event",
          "event.module": "fortinet",
          "event.dataset": "fortinet.firewall",
          "observer.vendor": "Fortinet",
          "fortinet.firewall.date": "2024-05-01",
          "fortinet.firewall.time": "10:00:00",
          "fortinet.firewall.devname": "fw1",
          "fortinet.firewall.devid": "FG1",
          "fortinet.firewall.eventtime": "1714557600123456",
          "fortinet.firewall.logid": "0000000013",
          "fortinet.firewall.type": "traffic",
          "fortinet.firewall.subtype": "forward",
          "fortinet.firewall.level": "notice",
          "fortinet.firewall.srcip": "192.0.2.7",
          "fortinet.firewall.srcport": "4242",
          "fortinet.firewall.srcintf": "wan1",
          "fortinet.firewall.dstip": "198.51.100.2",
          "fortinet.firewall.dstport": "22",
          "fortinet.firewall.dstintf": "lan",
          "fortinet.firewall.proto": "6",
          "fortinet.firewall.action": "deny",
          "fortinet.firewall.policyid": "0",
          "fortinet.firewall.sentbyte": "0",
          "source.ip": "192.0.2.7",
          "source.port": 4242,
          "source.bytes": 0,
          "destination.ip": "198.51.100.2",
          "destination.port": 22,
          "observer.name": "fw1",
          "observer.serial_number": "FG1",
          "observer.ingress.interface.name": "wan1",
          "observer.egress.interface.name": "lan",
          "event.code": "0000000013",
          "event.action": "deny",
          "log.level": "notice",
          "network.iana_number": "6",
          "rule.id": "0",
          "event.category": "network",
          "event.outcome": "failure",
          "event.type": ["connection", "denied"],
          "network.transport": "tcp",
          "related.ip": ["192.0.2.7", "198.51.100.2"],
        },
      ],
    },
    {
      title: "an administrator added",
      input:
        'date=2024-05-01 time=10:00:01 tz="+0200" devname=fw1 logid="0100044547" type="event" subtype="system" level="information" user="admin" ui="GUI(192.0.2.7)" action="Add" cfgpath="system.admin" cfgobj="eve" msg="Add system.admin eve"',
      expect: [
        {
          "@timestamp": "2024-05-01T08:00:01.000000Z",
          "event.kind": "event",
          "event.module": "fortinet",
          "event.dataset": "fortinet.firewall",
          "observer.vendor": "Fortinet",
          "fortinet.firewall.date": "2024-05-01",
          "fortinet.firewall.time": "10:00:01",
          "fortinet.firewall.tz": "+0200",
          "fortinet.firewall.devname": "fw1",
          "fortinet.firewall.logid": "0100044547",
          "fortinet.firewall.type": "event",
          "fortinet.firewall.subtype": "system",
          "fortinet.firewall.level": "information",
          "fortinet.firewall.user": "admin",
          "fortinet.firewall.ui": "GUI(192.0.2.7)",
          "fortinet.firewall.action": "Add",
          "fortinet.firewall.cfgpath": "system.admin",
          "fortinet.firewall.cfgobj": "eve",
          "fortinet.firewall.msg": "Add system.admin eve",
          "observer.name": "fw1",
          "event.code": "0100044547",
          "event.action": "Add",
          "log.level": "information",
          message: "Add system.admin eve",
          "user.name": "admin",
          "event.category": "configuration",
          "event.type": "change",
          "related.user": ["admin"],
        },
      ],
    },
    {
      title: "a log-in of an administrator that failed",
      input:
        'date=2024-05-01 time=10:00:01 tz="+0200" devname=fw1 logid="0100032002" type="event" subtype="system" level="alert" user="admin" srcip=192.0.2.7 action="login" status="failed" reason="passwd_invalid" msg="Administrator admin login failed"',
      expect: [
        {
          "@timestamp": "2024-05-01T08:00:01.000000Z",
          "event.kind": "event",
          "event.module": "fortinet",
          "event.dataset": "fortinet.firewall",
          "observer.vendor": "Fortinet",
          "fortinet.firewall.date": "2024-05-01",
          "fortinet.firewall.time": "10:00:01",
          "fortinet.firewall.tz": "+0200",
          "fortinet.firewall.devname": "fw1",
          "fortinet.firewall.logid": "0100032002",
          "fortinet.firewall.type": "event",
          "fortinet.firewall.subtype": "system",
          "fortinet.firewall.level": "alert",
          "fortinet.firewall.user": "admin",
          "fortinet.firewall.srcip": "192.0.2.7",
          "fortinet.firewall.action": "login",
          "fortinet.firewall.status": "failed",
          "fortinet.firewall.reason": "passwd_invalid",
          "fortinet.firewall.msg": "Administrator admin login failed",
          "observer.name": "fw1",
          "event.code": "0100032002",
          "event.action": "login",
          "event.reason": "passwd_invalid",
          "event.outcome": "failure",
          "log.level": "alert",
          message: "Administrator admin login failed",
          "source.ip": "192.0.2.7",
          "user.name": "admin",
          "event.category": "authentication",
          "event.type": "change",
          "related.ip": ["192.0.2.7"],
          "related.user": ["admin"],
        },
      ],
    },
    {
      title: "another line",
      input: "date=x",
      expect: {
        flaw: "bad_fortigate",
      },
    },
  ],
});
