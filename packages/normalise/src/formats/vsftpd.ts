/** vsftpd's own log file to ECS; in syslog the syslog format reads the same messages. Knows no transfer log. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { readVsftpd } from "../linux/services.ts";
import { apacheErrorDate } from "../time/stamps.ts";

const notVsftpd: Flaw = {
  code: "bad_vsftpd",
  expected: 'a line of vsftpd.log: Thu Sep  8 00:39:49 2016 [pid 15019] [user] FAIL LOGIN: Client "192.0.2.1"',
};

/** `Thu Sep  8 00:39:49 2016` is 24 characters wide; some writers do not pad the day. */
function stampEnd(line: string): number {
  const at = line.indexOf(" [pid ");
  return at >= 23 && at <= 24 ? at : -1;
}

export default defineFormat({
  name: "vsftpd",
  summary: "vsftpd's own log (vsftpd.log): connections, logins, transfers.",
  description: "The stamps name no zone and count as UTC.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => stampEnd(line) > 0 && apacheErrorDate(line.slice(0, stampEnd(line))) !== undefined),
  decoder: () => (text) => {
    const line = text.trimEnd();
    if (line === "") return { skip: "blank" };
    const end = stampEnd(line);
    const time = end < 0 ? undefined : apacheErrorDate(line.slice(0, end));
    const found = end < 0 ? null : /^ \[pid (\d{1,10})\] (.*)$/s.exec(line.slice(end));
    if (time === undefined || found === null) return notVsftpd;
    const fields = newFields();
    fields["event.kind"] = "event";
    fields["event.category"] = "network";
    fields["event.type"] = "info";
    fields["event.module"] = "vsftpd";
    fields["event.dataset"] = "vsftpd.log";
    fields["process.name"] = "vsftpd";
    fields["process.pid"] = Number(found[1]);
    fields["message"] = found[2]!;
    readVsftpd(found[2]!, fields);
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a failed login",
      input: 'Thu Sep  8 00:39:49 2016 [pid 15019] [guest] FAIL LOGIN: Client "::ffff:192.0.2.1"',
      expect: [
        {
          "@timestamp": "2016-09-08T00:39:49.000000Z",
          "event.kind": "event",
          "event.category": "authentication",
          "event.type": "info",
          "event.module": "vsftpd",
          "event.dataset": "vsftpd.log",
          "process.name": "vsftpd",
          "process.pid": 15019,
          message: '[guest] FAIL LOGIN: Client "::ffff:192.0.2.1"',
          "source.ip": "192.0.2.1",
          "network.protocol": "ftp",
          "user.name": "guest",
          "event.action": "ftp_login",
          "event.outcome": "failure",
          "related.ip": ["192.0.2.1"],
          "related.user": ["guest"],
        },
      ],
    },
    {
      title: "another line",
      input: "Thu Sep  8 00:39:49 2016 x",
      expect: {
        flaw: "bad_vsftpd",
      },
    },
  ],
});
