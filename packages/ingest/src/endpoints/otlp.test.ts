import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { double, fixed64, message, packed, text, varint } from "../protobuf.fixture.ts";
import { writeMessage } from "../protobuf.ts";
import otlp from "./otlp.ts";
import { EndpointRun, type TestRequest } from "./requests.fixture.ts";

const json = { "content-type": "application/json" };
const protobuf = { "content-type": "application/x-protobuf" };

const start = (config: object = {}) => {
  const run = new EndpointRun(otlp, config);
  const intake = run.intake("otlp");
  const send = (request: Partial<TestRequest>) => run.send({ path: "/v1/logs", headers: protobuf, ...request });
  const documents = () => intake.texts.map((text) => JSON.parse(text));
  return { intake, send, documents };
};

/** As OTel-OTLP-Exporter-JavaScript/0.223.1 sent it, recorded. */
const recordedLog = Buffer.from(
  "CqECCi8KFgoMc2VydmljZS5uYW1lEgYKBHNob3AKEwoJaG9zdC5uYW1lEgYKBHdlYjEQABLtAQoRCgpzaG9wLmxvZ2luEgMxLjIS1wEJAEDylg1VyxcQDRoEV0FSTioPCg1sb2dpbiByZWZ1c2VkMh0K" +
    "DmNsaWVudC5hZGRyZXNzEgsKCTE5Mi4wLjIuNzIOCghhdHRlbXB0cxICGAMyEAoDYmlnEgkY/////////w8yEgoFcmF0aW8SCSEAAAAAAADgPzIICgJvaxICEAEyFAoEdGFncxIMKgoKAwoBYQoDCgFi" +
    "MicKBm5lc3RlZBIdMhsKGQoBYRIUMhIKEAoBYhILGP///////////wE4AFkAsnXP3RjqGGIKdXNlci5sb2dpbg==",
  "base64",
);
const recordedSpan = Buffer.from(
  "CukBCi8KFgoMc2VydmljZS5uYW1lEgYKBHNob3AKEwoJaG9zdC5uYW1lEgYKBHdlYjEQABK1AQoGCgRzaG9wEqoBChD/Mjeisjbdw6t7R8y3okNdEgiCmEBUrK0VWyoJR0VUIC9jYXJ0MAI5ANQnDg5V" +
    "yxdBgIYOHQ5VyxdKHAoTaHR0cC5yZXF1ZXN0Lm1ldGhvZBIFCgNHRVRKIAoZaHR0cC5yZXNwb25zZS5zdGF0dXNfY29kZRIDGPQDUABaFwlk1CcODlXLFxIBeBoHCgFhEgIYASAAYABwAHoIEgRib29t" +
    "GAKFAQEBAAA=",
  "base64",
);
const resource = {
  attributes: [
    { key: "service.name", value: { stringValue: "shop" } },
    { key: "host.name", value: { stringValue: "web1" } },
  ],
  droppedAttributesCount: 0,
};

describe("the JavaScript SDK's exporters, recorded", () => {
  test("logs as protobuf become OTLP's JSON", async () => {
    const { intake, send, documents } = start();
    const answer = await send({ body: recordedLog });
    expect([answer.status, answer.headers, answer.body]).toEqual([200, protobuf, Buffer.alloc(0)]);
    const logRecord = {
      timeUnixNano: "1714557600000000000",
      observedTimeUnixNano: "1795274742408000000",
      severityNumber: 13,
      severityText: "WARN",
      body: { stringValue: "login refused" },
      eventName: "user.login",
      droppedAttributesCount: 0,
      attributes: [
        { key: "client.address", value: { stringValue: "192.0.2.7" } },
        { key: "attempts", value: { intValue: "3" } },
        { key: "big", value: { intValue: "9007199254740991" } },
        { key: "ratio", value: { doubleValue: 0.5 } },
        { key: "ok", value: { boolValue: true } },
        { key: "tags", value: { arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] } } },
        {
          key: "nested",
          value: { kvlistValue: { values: [{ key: "a", value: { kvlistValue: { values: [{ key: "b", value: { intValue: "-1" } }] } } }] } },
        },
      ],
    };
    const scope = { name: "shop.login", version: "1.2" };
    expect(documents()).toEqual([{ resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [logRecord] }] }] }]);
    expect(intake.records.every((record) => record.peer === "192.0.2.1")).toBe(true);
  });

  test("spans as protobuf, gzip as the collector sends it", async () => {
    const { send, documents } = start();
    const headers = { ...protobuf, "content-encoding": "gzip" };
    expect((await send({ path: "/v1/traces", body: gzipSync(recordedSpan), headers })).status).toBe(200);
    expect(documents()[0].resourceSpans[0].scopeSpans[0].spans[0]).toMatchObject({
      traceId: "ff3237a2b236ddc3ab7b47ccb7a2435d",
      spanId: "82984054acad155b",
      name: "GET /cart",
      kind: 2,
      startTimeUnixNano: "1714557602000000000",
      endTimeUnixNano: "1714557602250000000",
      status: { code: 2, message: "boom" },
      events: [{ name: "x", timeUnixNano: "1714557602000000100" }],
    });
  });

  test("logs as JSON are answered in JSON", async () => {
    const { send, documents } = start();
    const request = { resourceLogs: [{ resource, scopeLogs: [{ scope: {}, logRecords: [{ severityNumber: 13 }, { flags: 1 }] }] }] };
    const answer = await send({ body: JSON.stringify(request), headers: { "content-type": "application/json; charset=utf-8" } });
    expect([answer.status, answer.headers, answer.body]).toEqual([200, json, "{}"]);
    expect(documents()).toEqual([request]);
  });
});

describe("many and large", () => {
  const exportOf = (...records: readonly unknown[]) => ({ resourceLogs: [{ resource, scopeLogs: [{ scope: {}, logRecords: records }] }] });

  test("a large export is cut, and every record is there once, in order, with its resource", async () => {
    const { send, documents } = start();
    const records = Array.from({ length: 3_000 }, (_, i) => ({ body: { stringValue: `${i} ${"x".repeat(100)}` } }));
    expect((await send({ body: JSON.stringify(exportOf(...records)), headers: json })).status).toBe(200);
    const parts = documents().map((one) => one.resourceLogs[0]);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.every((part) => part.resource.attributes[1].value.stringValue === "web1")).toBe(true);
    expect(parts.flatMap((part) => part.scopeLogs[0].logRecords)).toEqual(records);
  });

  test("what is too large or no record is counted in the request's type and costs no other", async () => {
    const body = exportOf({ a: 1 }, { body: { stringValue: "x".repeat(300) } }, 7, { b: 1 });
    const { intake, send, documents } = start({ max_record_bytes: 256 });
    const answer = await send({ body: JSON.stringify(body), headers: json });
    expect(JSON.parse(String(answer.body)).partialSuccess.rejectedLogRecords).toBe("2");
    expect(intake.records.map((record) => record.flaw?.code)).toEqual(["too_long", "bad_request", undefined]);
    expect(documents()[2]).toEqual(exportOf({ a: 1 }, { b: 1 }));
    const long = writeMessage([
      1,
      writeMessage([2, writeMessage(...Array.from({ length: 200 }, () => [2, writeMessage([3, "y".repeat(300)])] as const))]),
    ]);
    const { body: told } = await send({ body: long });
    expect([...(told as Uint8Array).subarray(0, 6)]).toEqual([0x0a, told!.length - 2, 0x08, 200, 1, 0x12]);
  });

  test("a large resource is not said again with every record", async () => {
    const { intake, send } = start();
    const heavy = { attributes: [{ key: "a", value: { stringValue: "x".repeat(70_000) } }] };
    const request = { resourceLogs: [{ resource: heavy, scopeLogs: [{ logRecords: [{}, {}, {}] }] }, ...exportOf({ a: 1 }).resourceLogs] };
    const answer = await send({ body: JSON.stringify(request), headers: json });
    expect(JSON.parse(String(answer.body)).partialSuccess.rejectedLogRecords).toBe("3");
    expect(intake.records.map((record) => record.flaw?.code)).toEqual(["too_long", undefined]);
  });
});

describe("what cannot be taken", () => {
  const nested = (depth: number): Buffer => {
    let value = writeMessage([1, "x"]);
    for (let i = 0; i < depth; i++) value = writeMessage([5, writeMessage([1, value])]);
    return writeMessage([1, writeMessage([2, writeMessage([2, writeMessage([5, value])])])]);
  };
  test.each([
    ["half a message", recordedLog.subarray(0, 200), protobuf],
    ["text as protobuf", "plain text", protobuf],
    ["an endless varint", Buffer.alloc(20, 0xff), protobuf],
    ["a length beyond the end", Buffer.from([0x0a, 0x7f]), protobuf],
    ["a group", Buffer.from([0x0b]), protobuf],
    ["a number for a message", Buffer.from([0x08, 1]), protobuf],
    ["depth", nested(40), protobuf],
    ["protobuf as JSON", recordedLog, json],
    ["half a document", '{"resourceLogs":[', json],
    ["a list", "[]", json],
    ["no list", '{"resourceLogs":{}}', json],
    ["a text", '"a"', json],
    ["nothing as JSON", "", json],
    ["two documents", "{}{}", json],
    ["deep JSON", `{"resourceLogs":${"[".repeat(100)}${"]".repeat(100)}}`, json],
  ])("%s: 400 in the request's type, kept as a dead letter, not to be sent again", async (_, body, headers) => {
    const { intake, send } = start();
    const answer = await send({ body, headers });
    expect([answer.status, answer.headers]).toEqual([400, headers]);
    if (headers === json) expect(JSON.parse(String(answer.body)).code).toBe(3);
    else expect([...(answer.body as Uint8Array).subarray(0, 3)]).toEqual([0x08, 3, 0x12]);
    expect(intake.records.map((record) => record.flaw?.code)).toEqual(["bad_request"]);
  });

  test("fields of later versions are passed over", async () => {
    const { send, documents } = start();
    const unknown = Buffer.from([0xf8, 0x3f, 0xff, 0x01, 0xf9, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8, 0xfd, 0x3f, 1, 2, 3, 4, 0xfa, 0x3f, 1, 9]);
    const record = Buffer.concat([unknown, writeMessage([3, "INFO"])]);
    await send({ body: writeMessage([1, writeMessage([2, writeMessage([2, record])])]) });
    expect(documents()[0].resourceLogs[0].scopeLogs[0].logRecords).toEqual([{ severityText: "INFO" }]);
  });

  test("metrics of every type as protobuf become OTLP's JSON", async () => {
    const { send, documents } = start();
    const time = fixed64(3, 1_714_557_600_000_000_000n);
    const timeUnixNano = "1714557600000000000";
    const metrics = [
      message(2, text(1, "load"), message(5, message(1, time, double(4, -0.5)))),
      message(2, text(1, "orders"), message(7, message(1, time, fixed64(6, -3n)), varint(2, 2), varint(3, 1))),
      message(
        2,
        text(1, "wait"),
        message(
          9,
          message(1, time, fixed64(4, 3n), double(5, 0.5), Buffer.concat([fixed64(6, 1n), fixed64(6, 2n)]), double(7, 0.1)),
          varint(2, 1),
        ),
      ),
      message(
        2,
        text(1, "size"),
        message(10, message(1, time, fixed64(4, 2n), varint(6, 1), message(8, varint(1, 4), packed(2, 1, 1))), varint(2, 2)),
      ),
      message(2, text(1, "old"), message(11, message(1, time, fixed64(4, 2n), double(5, 1), message(6, double(1, 0.5), double(2, 7))))),
    ];
    const answer = await send({ path: "/v1/metrics", body: message(1, message(2, ...metrics)) });
    expect([answer.status, answer.headers, answer.body]).toEqual([200, protobuf, Buffer.alloc(0)]);
    expect(documents()[0].resourceMetrics[0].scopeMetrics[0].metrics).toEqual([
      { name: "load", gauge: { dataPoints: [{ timeUnixNano, asDouble: -0.5 }] } },
      { name: "orders", sum: { dataPoints: [{ timeUnixNano, asInt: "-3" }], aggregationTemporality: 2, isMonotonic: true } },
      {
        name: "wait",
        histogram: {
          dataPoints: [{ timeUnixNano, count: "3", sum: 0.5, bucketCounts: ["1", "2"], explicitBounds: [0.1] }],
          aggregationTemporality: 1,
        },
      },
      {
        name: "size",
        exponentialHistogram: {
          dataPoints: [{ timeUnixNano, count: "2", scale: -1, positive: { offset: 2, bucketCounts: ["1", "1"] } }],
          aggregationTemporality: 2,
        },
      },
      { name: "old", summary: { dataPoints: [{ timeUnixNano, count: "2", sum: 1, quantileValues: [{ quantile: 0.5, value: 7 }] }] } },
    ]);
  });

  test("a metric of very many points is cut, and what is rejected is counted in points", async () => {
    const { intake, send, documents } = start({ max_record_bytes: 40_000 });
    const metric = (name: string, points: number, value: string) => ({
      name,
      gauge: {
        dataPoints: Array.from({ length: points }, (_, i) => ({
          timeUnixNano: "1714557600000000000",
          asInt: i,
          attributes: [{ key: "a", value: { stringValue: value } }],
        })),
      },
    });
    const metrics = [metric("many", 1_000, "x"), metric("huge", 3, "x".repeat(20_000))];
    const answer = await send({
      path: "/v1/metrics",
      headers: json,
      body: JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }),
    });
    expect(JSON.parse(String(answer.body))).toEqual({ partialSuccess: { rejectedDataPoints: "3", errorMessage: expect.any(String) } });
    expect(intake.records.filter(({ flaw }) => flaw)).toHaveLength(1);
    const points = documents().flatMap(
      (one) =>
        one.resourceMetrics?.[0].scopeMetrics.flatMap((scope: { metrics: { gauge: { dataPoints: unknown[] } }[] }) =>
          scope.metrics.flatMap(({ gauge }) => gauge.dataPoints),
        ) ?? [],
    );
    expect(points).toHaveLength(1_000);
  });

  test("bombs, bodies over the cap, other types, no room", async () => {
    const { intake, send } = start({ max_body_bytes: 2_000_000 });
    const gzip = { ...protobuf, "content-encoding": "gzip" };
    expect((await send({ body: gzipSync(Buffer.alloc(8_000_000)), headers: gzip })).status).toBe(413);
    expect((await send({ body: Buffer.alloc(2_000_001) })).status).toBe(413);
    expect((await send({ body: recordedLog, headers: gzip })).status).toBe(400);
    expect((await send({ body: recordedLog, headers: {} })).status).toBe(415);
    intake.refuse = 1;
    await expect(send({ body: recordedLog })).rejects.toMatchObject({ code: "backpressure" });
    expect(intake.records).toEqual([]);
  });

  test("empty messages by the million do not fill the memory", async () => {
    const { send } = start();
    const empty = Buffer.alloc(4_200_000);
    for (let at = 0; at < empty.length; at += 2) empty[at] = 0x0a;
    expect((await send({ body: empty })).status).toBe(400);
  });

  test.each([
    [401, 16],
    [403, 7],
    [429, 8],
    [503, 14],
  ])("refused with %i: a Status in the request's type", (status, code) => {
    const asked = { method: "POST", path: "/v1/logs" };
    const refusal = { status, code: "backpressure", message: "no", presented: true } as const;
    expect(otlp.refuse!(refusal, { ...asked, headers: protobuf })).toEqual({
      status,
      headers: protobuf,
      body: Buffer.from([0x08, code, 0x12, 2, 0x6e, 0x6f]),
    });
    expect(otlp.refuse!(refusal, { ...asked, headers: json }).body).toBe(JSON.stringify({ code, message: "no" }));
  });

  test("any bytes give an answer", async () => {
    const damaged = fc
      .tuple(fc.nat(recordedLog.length), fc.nat(20), fc.uint8Array({ maxLength: 8 }))
      .map(([at, length, junk]) => Buffer.concat([recordedLog.subarray(0, at), junk, recordedLog.subarray(at + length)]));
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.uint8Array()), fc.constantFrom(json, protobuf), async (bytes, headers) => {
        const { intake, send } = start();
        const { status } = await send({ body: bytes, headers });
        expect([200, 400]).toContain(status);
        for (const record of intake.records) if (record.flaw === undefined) JSON.parse(Buffer.from(record.body).toString());
      }),
      { numRuns: 1_000 },
    );
  });
});
