import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { EndpointRun, type TestRequest } from "./requests.fixture.ts";
import hec from "./splunk_hec.ts";

const path = "/services/collector/event";
const channel = "11111111-2222-4333-8444-555555555555";

const start = (config: object = {}) => {
  const run = new EndpointRun(hec, config);
  const intake = run.intake("splunk_hec");
  const send = async (request: Partial<TestRequest>) => {
    const response = await run.send({ path, ...request });
    return [response.status, JSON.parse(String(response.body))] as const;
  };
  return { intake, send };
};
const success = { text: "Success", code: 0 };

describe("what clients send", () => {
  test("splunk-logging for JavaScript: JSON called a form, with its own metadata", async () => {
    const { intake, send } = start();
    const body =
      '{"time":"1714557600.250","host":"web1","event":{"message":{"temperature":"70F"},"severity":"info"},"sourcetype":"httpevent"}';
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect(await send({ path: "/services/collector/event/1.0", body, headers })).toEqual([200, success]);
    expect(intake.texts).toEqual([body]);
  });

  test("Fluent Bit and the OpenTelemetry collector: events one after another, gzip", async () => {
    const { intake, send } = start();
    const events = ['{"time":1,"event":{"log":"a}{"}}', '{"event":"b","fields":{"k8s.pod.name":"p","n":[1,2]}}', '{"event":7}'];
    const body = gzipSync(`${events[0]}${events[1]}\n ${events[2]}\n`);
    expect(await send({ path: "/services/collector", body, headers: { "content-encoding": "gzip" } })).toEqual([200, success]);
    expect(intake.texts).toEqual(events);
    expect(intake.records.every((record) => record.peer === "192.0.2.1" && record.id === undefined)).toBe(true);
  });

  test("Vector: a channel, an id for each request, and the question what became of it", async () => {
    const { send } = start();
    const headers = { "x-splunk-request-channel": channel };
    for (const ackId of [0, 1]) expect(await send({ body: '{"event":"a"}', headers })).toEqual([200, { ...success, ackId }]);
    expect(await send({ body: '{"event":"a"}', path: `${path}?channel=${channel.replaceAll("1", "2")}` })).toEqual([
      200,
      { ...success, ackId: 0 },
    ]);
    const asked = await send({ path: `/services/collector/ack?channel=${channel}`, body: '{"acks":[0,1,2,-1,0.5,"0"]}' });
    expect(asked).toEqual([200, { acks: { 0: true, 1: true, 2: false, "-1": false, "0.5": false } }]);
  });

  test("lines by /raw, alone or with what the query says of them", async () => {
    const { intake, send } = start();
    expect(await send({ path: "/services/collector/raw", body: "one\ntwo\r\n\n" })).toEqual([200, success]);
    expect(await send({ path: "/services/collector/raw/1.0?sourcetype=syslog&host=a%22b&__proto__=x", body: "three\n" })).toEqual([
      200,
      success,
    ]);
    expect(intake.texts).toEqual(["one", "two", '{"host":"a\\"b","sourcetype":"syslog","event":"three"}']);
  });

  test("health needs no token", async () => {
    expect(await start().send({ method: "GET", path: "/services/collector/health/1.0" })).toEqual([
      200,
      { text: "HEC is healthy", code: 17 },
    ]);
    expect(hec.routes.filter((route) => route.open).every((route) => route.path.includes("/health"))).toBe(true);
  });
});

describe("what cannot be taken", () => {
  const deep = `{"event":${"[".repeat(70)}${"]".repeat(70)}}`;
  test.each([
    ["nothing", "", [5, undefined], []],
    ["blanks", " \n ", [5, undefined], []],
    ["no event", '{"host":"a"}', [12, 0], ["bad_request"]],
    ["a null", '{"event":"a"}{"event":null}', [12, 1], [undefined, "bad_request"]],
    ["a blank event", '{"event":"a"}{"event":" "}{"event":"c"}', [13, 1], [undefined, "bad_request", undefined]],
    ["two faults, of which the first is named", '{"event":"a"}{}{"event":""}', [12, 1], [undefined, "bad_request", "bad_request"]],
    ["nested fields", '{"event":"a","fields":{"b":{"c":1}}}', [15, 0], ["bad_request"]],
    ["fields that are a list", '{"event":"a","fields":[1]}', [15, 0], ["bad_request"]],
    ["half an event", '{"event":"a"}{"event":"b', [6, 1], [undefined, "bad_json"]],
    ["text", "event=a", [6, 0], ["bad_json"]],
    ["an array", '[{"event":"a"}]', [6, 0], ["bad_json"]],
    ["depth", `{"event":"a"}${deep}{"event":"c"}`, [6, 1], [undefined, "too_deep", undefined]],
    ["a prototype", '{"__proto__":{"event":"a"}}', [12, 0], ["bad_request"]],
  ])("%s", async (_, body, [code, number], flaws) => {
    const { intake, send } = start();
    const [status, reply] = await send({ body });
    expect([status, reply.code, reply["invalid-event-number"]]).toEqual([400, code, number]);
    expect(intake.records.map((record) => record.flaw?.code)).toEqual(flaws);
  });

  test("an event over its cap costs no other", async () => {
    const { intake, send } = start({ max_record_bytes: 256 });
    const [status, reply] = await send({ body: `{"event":"${"x".repeat(300)}"}{"event":"b"}` });
    expect([status, reply]).toEqual([413, { text: "Request entity too large", code: 27, "invalid-event-number": 0 }]);
    expect(intake.records.map((record) => record.flaw?.code)).toEqual(["too_long", undefined]);
  });

  test("a bomb, a body over its cap, no gzip", async () => {
    const { intake, send } = start({ max_body_bytes: 2_000_000, max_wire_bytes: 10_000 });
    const headers = { "content-encoding": "gzip" };
    expect((await send({ body: gzipSync(Buffer.alloc(8_000_000)), headers }))[0]).toBe(413);
    expect((await send({ body: "x".repeat(2_000_001) }))[0]).toBe(413);
    expect(await send({ body: '{"event":"a"}', headers })).toEqual([400, { text: "Invalid data format", code: 6 }]);
    expect(intake.records).toEqual([]);
  });

  test("channels that are none, acks without one, acks that are no list", async () => {
    const { send } = start();
    const codeOf = async (request: Partial<TestRequest>) => (await send(request))[1].code;
    expect(await codeOf({ path: `${path}?channel=a`, body: '{"event":"a"}' })).toBe(11);
    expect(await codeOf({ path: "/services/collector/ack", body: '{"acks":[0]}' })).toBe(10);
    for (const body of ["", "null", "[]", '{"acks":0}', "{"])
      expect(await codeOf({ path: `/services/collector/ack?channel=${channel}`, body })).toBe(6);
  });

  test("no id for what was not durable", async () => {
    const { intake, send } = start();
    intake.refuse = 1;
    await expect(send({ path: `${path}?channel=${channel}`, body: '{"event":"a"}' })).rejects.toMatchObject({ code: "backpressure" });
    const asked = await send({ path: `/services/collector/ack?channel=${channel}`, body: '{"acks":[0]}' });
    expect(asked).toEqual([200, { acks: { 0: false } }]);
    expect(intake.records).toEqual([]);
  });

  test.each([
    ["no token", 401, false, 401, 2],
    ["a wrong token", 401, true, 403, 4],
    ["too many wrong tokens", 429, true, 503, 9],
    ["back-pressure", 429, true, 503, 9],
    ["a closing server", 503, true, 503, 9],
  ])("%s", (_, status, presented, expected, code) => {
    const answer = hec.refuse!({ status, code: "backpressure", message: "", presented }, { method: "POST", path, headers: {} });
    expect([answer.status, JSON.parse(String(answer.body)).code]).toEqual([expected, code]);
  });
});
