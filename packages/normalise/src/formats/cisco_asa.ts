/** Syslog of Cisco ASA, Firepower (FTD), PIX and FWSM firewalls: takes the line apart and hands the message to its reader. */
import { type DecodeResult, defineFormat, newFields, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { readAsaMessage } from "../cisco/asa_message.ts";
import { isFtdEvent, readFtdEvent } from "../cisco/ftd_event.ts";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { maxPrefix, readPrefix } from "../syslog/prefix.ts";

const notAsa = { code: "bad_syslog", expected: "a Cisco firewall's line: [<priority>][stamp ][host ]: %ASA-SEVERITY-NUMBER: message" };
const levels = ["emergency", "alert", "critical", "error", "warning", "notification", "informational", "debug"];
const tag = /^%(ASA|FTD|PIX|FWSM)-(?:[\w-]{1,32}-)?(\d)-(\d{6}):? ?/;

/** What Firepower's own manager is called where it sends the events of its devices. */
const sender = / (?:SFIMS|NGIPS|SourceFire)\s?: ?$/;

/** The line's event, or undefined where it is no Cisco firewall's. */
export function decodeAsa(line: string, received: Micros): DecodeResult | undefined {
  const percent = line.indexOf("%");
  if (percent < 0 || percent > maxPrefix) return undefined;
  const found = tag.exec(line.slice(percent, percent + 64));
  const head = found === null ? undefined : readPrefix(line.slice(0, percent).replace(sender, ""), received);
  if (found === null || head === undefined) return undefined;
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "cisco";
  fields["event.dataset"] = "cisco.asa";
  fields["event.code"] = found[3]!;
  const severity = Number(found[2]);
  fields["event.severity"] = severity;
  if (levels[severity] !== undefined) fields["log.level"] = levels[severity];
  fields["observer.vendor"] = "Cisco";
  fields["observer.product"] = found[1]!.toLowerCase();
  fields["observer.type"] = "firewall";
  if (head.host !== undefined) {
    fields["observer.hostname"] = head.host;
    fields["host.hostname"] = head.host;
    fields["host.name"] = head.host;
  }
  if (head.priority >= 0) {
    fields["log.syslog.facility.code"] = head.priority >> 3;
    fields["log.syslog.severity.code"] = head.priority & 7;
  }
  const message = line.slice(percent + found[0].length);
  fields["message"] = message;
  if (isFtdEvent(found[3]!)) readFtdEvent(found[3]!, message, fields);
  else readAsaMessage(found[3]!, message, fields);
  relate(fields);
  return { time: head.time, fields };
}

export default defineFormat({
  name: "cisco_asa",
  summary: "Cisco ASA and Firepower firewalls' syslog: connections, access lists, logins, VPN sessions, commands.",
  description:
    "event.code is Cisco's message number. The first end a message names is source, the second destination; addresses after translation are source.nat.ip and destination.nat.ip.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => decodeAsa(line.slice(0, 1024), 0) !== undefined),
  decoder: () => (text, context) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    return decodeAsa(line, context.received) ?? notAsa;
  },
  examples: [
    {
      title: "a packet denied by an access list",
      input:
        '<164>May  5 18:40:50 fw1 : %ASA-4-106023: Deny tcp src outside:192.0.2.7/64388 dst dmz:198.51.100.2/443 by access-group "outside_in" [0x47e21ef4, 0x0]',
      expect: [
        {
          "@timestamp": "2024-05-05T18:40:50.000000Z",
          "event.kind": "event",
          "event.module": "cisco",
          "event.dataset": "cisco.asa",
          "event.code": "106023",
          "event.severity": 4,
          "log.level": "warning",
          "observer.vendor": "Cisco",
          "observer.product": "asa",
          "observer.type": "firewall",
          "observer.hostname": "fw1",
          "host.hostname": "fw1",
          "host.name": "fw1",
          "log.syslog.facility.code": 20,
          "log.syslog.severity.code": 4,
          message: 'Deny tcp src outside:192.0.2.7/64388 dst dmz:198.51.100.2/443 by access-group "outside_in" [0x47e21ef4, 0x0]',
          "event.action": "firewall-rule",
          "event.category": "network",
          "event.type": ["connection", "denied"],
          "event.outcome": "success",
          "network.transport": "tcp",
          "source.ip": "192.0.2.7",
          "source.port": 64388,
          "observer.ingress.interface.name": "outside",
          "destination.ip": "198.51.100.2",
          "destination.port": 443,
          "observer.egress.interface.name": "dmz",
          "rule.name": "outside_in",
          "related.ip": ["192.0.2.7", "198.51.100.2"],
        },
      ],
    },
    {
      title: "a connection built, with translated addresses",
      input:
        "May  5 17:51:17 fw1: %FTD-6-302013: Built inbound TCP connection 42 for outside:192.0.2.7/53500 (192.0.2.7/53500) to dmz:10.0.0.2/443 (198.51.100.2/443)",
      expect: [
        {
          "@timestamp": "2024-05-05T17:51:17.000000Z",
          "event.kind": "event",
          "event.module": "cisco",
          "event.dataset": "cisco.asa",
          "event.code": "302013",
          "event.severity": 6,
          "log.level": "informational",
          "observer.vendor": "Cisco",
          "observer.product": "ftd",
          "observer.type": "firewall",
          "observer.hostname": "fw1",
          "host.hostname": "fw1",
          "host.name": "fw1",
          message: "Built inbound TCP connection 42 for outside:192.0.2.7/53500 (192.0.2.7/53500) to dmz:10.0.0.2/443 (198.51.100.2/443)",
          "event.action": "firewall-rule",
          "event.category": "network",
          "event.type": ["connection", "start"],
          "network.transport": "tcp",
          "network.direction": "inbound",
          "source.ip": "192.0.2.7",
          "source.port": 53500,
          "observer.ingress.interface.name": "outside",
          "destination.ip": "10.0.0.2",
          "destination.port": 443,
          "observer.egress.interface.name": "dmz",
          "destination.nat.ip": "198.51.100.2",
          "cisco.asa.connection_id": "42",
          "related.ip": ["192.0.2.7", "10.0.0.2", "198.51.100.2"],
        },
      ],
    },
    {
      title: "a refused login",
      input:
        "May  5 2024 19:02:25 fw1 : %ASA-6-113005: AAA user authentication Rejected : reason = AAA failure : server = 10.1.2.0 : user = bob : user IP = 192.0.2.7",
      expect: [
        {
          "@timestamp": "2024-05-05T19:02:25.000000Z",
          "event.kind": "event",
          "event.module": "cisco",
          "event.dataset": "cisco.asa",
          "event.code": "113005",
          "event.severity": 6,
          "log.level": "informational",
          "observer.vendor": "Cisco",
          "observer.product": "asa",
          "observer.type": "firewall",
          "observer.hostname": "fw1",
          "host.hostname": "fw1",
          "host.name": "fw1",
          message: "AAA user authentication Rejected : reason = AAA failure : server = 10.1.2.0 : user = bob : user IP = 192.0.2.7",
          "event.action": "logon-failed",
          "event.category": ["authentication", "network"],
          "event.type": ["denied", "info"],
          "event.outcome": "failure",
          "source.ip": "192.0.2.7",
          "destination.ip": "10.1.2.0",
          "user.name": "bob",
          "event.reason": "AAA failure",
          "related.ip": ["192.0.2.7", "10.1.2.0"],
          "related.user": ["bob"],
        },
      ],
    },
    {
      title: "an intrusion that Firepower blocked",
      input:
        '<113>May  5 2024 19:02:25 fw1 SFIMS: %FTD-1-430001: SrcIP: 192.0.2.7, DstIP: 198.51.100.2, SrcPort: 53500, DstPort: 80, Protocol: tcp, Priority: 1, GID: 1, SID: 24671, Message: "SERVER-IIS cmd.exe access, again", User: bob, ACPolicy: edge, InlineResult: Blocked, HTTPResponse: 404',
      expect: [
        {
          "@timestamp": "2024-05-05T19:02:25.000000Z",
          "event.kind": "alert",
          "event.module": "cisco",
          "event.dataset": "cisco.asa",
          "event.code": "430001",
          "event.severity": 1,
          "log.level": "alert",
          "observer.vendor": "Cisco",
          "observer.product": "ftd",
          "observer.type": "firewall",
          "observer.hostname": "fw1",
          "host.hostname": "fw1",
          "host.name": "fw1",
          "log.syslog.facility.code": 14,
          "log.syslog.severity.code": 1,
          message:
            'SrcIP: 192.0.2.7, DstIP: 198.51.100.2, SrcPort: 53500, DstPort: 80, Protocol: tcp, Priority: 1, GID: 1, SID: 24671, Message: "SERVER-IIS cmd.exe access, again", User: bob, ACPolicy: edge, InlineResult: Blocked, HTTPResponse: 404',
          "cisco.ftd.SrcIP": "192.0.2.7",
          "cisco.ftd.DstIP": "198.51.100.2",
          "cisco.ftd.SrcPort": "53500",
          "cisco.ftd.DstPort": "80",
          "cisco.ftd.Protocol": "tcp",
          "cisco.ftd.Priority": "1",
          "cisco.ftd.GID": "1",
          "cisco.ftd.SID": "24671",
          "cisco.ftd.Message": "SERVER-IIS cmd.exe access, again",
          "cisco.ftd.User": "bob",
          "cisco.ftd.ACPolicy": "edge",
          "cisco.ftd.InlineResult": "Blocked",
          "cisco.ftd.HTTPResponse": "404",
          "event.action": "intrusion-detected",
          "event.category": ["network", "intrusion_detection"],
          "event.type": ["info", "denied"],
          "network.transport": "tcp",
          "source.ip": "192.0.2.7",
          "source.port": 53500,
          "destination.ip": "198.51.100.2",
          "destination.port": 80,
          "rule.id": "24671",
          "rule.description": "SERVER-IIS cmd.exe access, again",
          "rule.ruleset": "edge",
          "http.response.status_code": 404,
          "user.name": "bob",
          "related.ip": ["192.0.2.7", "198.51.100.2"],
          "related.user": ["bob"],
        },
      ],
    },
    {
      title: "another program that quotes a tag",
      input: "May  5 19:02:25 host sshd[1]: Invalid user %ASA-6-113005: x from 192.0.2.7",
      expect: {
        flaw: "bad_syslog",
      },
    },
  ],
});
