/** A line means the same whether it came by itself or in a shipper's document. */
import type { Decoded, DecodeResult, JsonObject } from "@vedette/kit";
import { describe, expect, test } from "vitest";
import { formats } from "../index.ts";
import ecs from "./ecs_json.ts";

const known = await formats();
const context = { preamble: undefined, received: Date.UTC(2024, 2, 6) * 1000, peer: undefined, source: "test", stream: "test" };
const json = ecs.json!;

function one(result: DecodeResult): Decoded {
  if ("code" in result || "skip" in result || Array.isArray(result)) throw new Error(`not one event: ${JSON.stringify(result)}`);
  return result as Decoded;
}
const decode = (object: object): Decoded => {
  expect(json.claims(object as JsonObject, context)).toBeGreaterThanOrEqual(0.5);
  return one(json.decode(object as JsonObject, JSON.stringify(object), context));
};
const direct = (format: string, line: string): Decoded => {
  const spec = known.get(format)!;
  return one(spec.decoder(spec.config.parse({}))(line, context));
};

const stamp = "2024-03-05T14:08:01.002Z";
const sshd = "Mar  5 14:07:59 login1 sshd[4711]: Failed password for root from 192.0.2.66 port 50122 ssh2";
const windows = JSON.stringify({ EventID: 4625, Channel: "Security", Hostname: "dc1", TargetUserName: "ada", EventTime: stamp });
const trail = JSON.stringify({ eventVersion: "1", eventSource: "sts.amazonaws.com", eventName: "AssumeRole", eventTime: stamp });

describe("a shipped line means what it means by itself", () => {
  const documents: readonly (readonly [string, string, string, object])[] = [
    ["Filebeat, by path", "syslog", sshd, { "@timestamp": stamp, log: { file: { path: "/var/log/auth.log" } }, message: sshd }],
    [
      "Filebeat, by fileset",
      "syslog",
      sshd,
      { "@timestamp": stamp, fileset: { name: "auth" }, event: { module: "system" }, message: sshd },
    ],
    ["Filebeat, dotted", "syslog", sshd, { "@timestamp": stamp, "event.dataset": "system.auth", "host.name": "x", message: sshd }],
    ["Fluent Bit", "syslog", sshd, { date: 1709647681.5, log: `${sshd}\n` }],
    ["Docker", "syslog", sshd, { log: `${sshd}\n`, stream: "stdout", time: stamp }],
    ["a Windows event", "windows_event", windows, { "@timestamp": stamp, agent: { type: "filebeat" }, message: windows }],
    [
      "CloudTrail",
      "aws_cloudtrail",
      trail,
      { "@timestamp": stamp, agent: { type: "filebeat" }, host: { name: "shipper" }, message: trail },
    ],
  ];
  test.each(documents)("%s", (_title, format, line, document) => {
    const expected = direct(format, line);
    const shipped = decode(document);
    expect(shipped.time).toBe(expected.time);
    for (const key in expected.fields) expect([key, shipped.fields[key]]).toEqual([key, expected.fields[key]]);
    if (format === "aws_cloudtrail") expect(shipped.fields["host.name"]).toBeUndefined();
  });

  test("an access log's line, however its file is called", () => {
    const line = '192.0.2.4 - - [05/Mar/2024:14:07:59 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8"';
    for (const path of ["/var/log/nginx/access.log", "/srv/x.log"]) {
      const { fields } = decode({ "@timestamp": stamp, log: { file: { path } }, message: line });
      expect(fields["source.ip"]).toBe("192.0.2.4");
    }
  });
});

describe("a document is taken as it is", () => {
  test("where it says what happened", () => {
    const { fields } = decode({ "@timestamp": stamp, event: { category: "web" }, message: sshd });
    expect([fields["event.category"], fields["message"], fields["source.ip"]]).toEqual(["web", sshd, undefined]);
  });
  test("where nobody knows its line", () => {
    const { time, fields } = decode({ "@timestamp": stamp, log: { level: "info" }, message: "just text" });
    expect(time).toBe(Date.parse(stamp) * 1000);
    expect([fields["message"], fields["log.level"], fields["@timestamp"]]).toEqual(["just text", "info", undefined]);
  });
  test("where its line is a document of nobody's", () => {
    expect(decode({ "@timestamp": stamp, message: '{"host":"liar"}' }).fields["host"]).toBeUndefined();
  });
});

test("documents of others are not claimed", () => {
  for (const object of [
    { a: 1 },
    { ts: 1, uid: "C", "id.orig_h": "1.1.1.1" },
    { time: stamp, process_exec: {} },
    { log: { level: "x" } },
    { message: "x" },
  ]) {
    expect(json.claims(object, context)).toBe(0);
  }
});

test("documents within documents end", () => {
  let message = "the innermost";
  for (let i = 0; i < 12; i++) message = JSON.stringify({ "@timestamp": stamp, host: { name: `h${i}` }, message });
  const { fields } = one(ecs.decoder({ utc_offset: "+00:00" })(message, context));
  expect([fields["message"], fields["host.name"]]).toEqual(["the innermost", "h0"]);
});
