import { describe, expect, test } from "vitest";
import { double, message, packed, text, varint } from "../protobuf.fixture.ts";
import { snappy } from "../snappy.fixture.ts";
import prometheusWrite from "./prometheus_write.ts";
import { EndpointRun } from "./requests.fixture.ts";

const version1 = { "content-type": "application/x-protobuf", "content-encoding": "snappy", "x-prometheus-remote-write-version": "0.1.0" };
const version2 = { ...version1, "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request" };
const at = 1_714_557_600_000;

const start = (config: object = {}) => {
  const run = new EndpointRun(prometheusWrite, config);
  const intake = run.intake("prometheus");
  const send = (body: Uint8Array, headers: { readonly [name: string]: string } = version1) =>
    run.send({ path: "/api/v1/write", headers, body });
  const series = () => intake.records.flatMap(({ flaw, body }) => (flaw ? [] : JSON.parse(Buffer.from(body).toString()).timeseries));
  return { intake, send, series };
};
const label = (name: string, value: string) => message(1, text(1, name), text(2, value));
const sample = (value: number, ms = at) => message(2, double(1, value), varint(2, ms));
const series1 = (name: string, ...more: readonly Uint8Array[]) => message(1, label("__name__", name), label("job", "node"), ...more);
const symbols = (...all: readonly string[]) => ["", ...all].map((one) => message(4, Buffer.from(one)));
/** writeMessage leaves out empty texts, which a table of symbols must not. */
const table = (...all: readonly string[]) => Buffer.concat([Buffer.from([0x22, 0]), ...symbols(...all).slice(1)]);

describe("1.0", () => {
  test("series as they are, by Prometheus' names", async () => {
    const { send, series } = start();
    const answer = await send(snappy(Buffer.concat([series1("up", sample(1), sample(0, at + 15_000)), series1("load", sample(0.25))])));
    expect([answer.status, answer.headers]).toEqual([204, {}]);
    const labels = (name: string) => [
      { name: "__name__", value: name },
      { name: "job", value: "node" },
    ];
    expect(series()).toEqual([
      {
        labels: labels("up"),
        samples: [
          { value: 1, timestamp: String(at) },
          { value: 0, timestamp: String(at + 15_000) },
        ],
      },
      { labels: labels("load"), samples: [{ value: 0.25, timestamp: String(at) }] },
    ]);
  });

  test("metadata alone is taken and kept nowhere", async () => {
    const { intake, send } = start();
    expect((await send(snappy(message(3, varint(1, 1), text(2, "up"))))).status).toBe(204);
    expect(intake.records).toEqual([]);
  });

  test("a native histogram keeps its spans and deltas", async () => {
    const { send, series } = start();
    const histogram = message(4, varint(1, 3), double(3, 9.5), message(11, varint(2, 2)), packed(12, 2, 1), varint(15, at));
    await send(snappy(series1("wait", histogram)));
    expect(series()[0].histograms).toEqual([
      { countInt: "3", sum: 9.5, positiveSpans: [{ length: 2 }], positiveDeltas: ["1", "-1"], timestamp: String(at) },
    ]);
  });
});

describe("2.0", () => {
  const request = (...series: readonly Uint8Array[]) => Buffer.concat([table("__name__", "up", "job", "node"), ...series]);
  const sample2 = (value: number) => message(2, double(1, value), varint(2, at));

  test("names from the table of symbols, the type beside them, counts in the answer", async () => {
    const { send, series } = start();
    const body = request(message(5, packed(1, 1, 2, 3, 4), sample2(1), message(5, varint(1, 2))));
    const answer = await send(snappy(body), version2);
    expect([answer.status, answer.headers]).toEqual([
      204,
      {
        "x-prometheus-remote-write-samples-written": "1",
        "x-prometheus-remote-write-histograms-written": "0",
        "x-prometheus-remote-write-exemplars-written": "0",
      },
    ]);
    expect(series()).toEqual([
      {
        labels: [
          { name: "__name__", value: "up" },
          { name: "job", value: "node" },
        ],
        type: 2,
        samples: [{ value: 1, timestamp: String(at) }],
      },
    ]);
  });

  test("a series with a symbol that is not there is not taken, its neighbours are: 400 with what was written", async () => {
    const { intake, send, series } = start();
    const body = request(message(5, packed(1, 1, 2, 99, 4), sample2(1)), message(5, packed(1, 1, 2), sample2(2), sample2(3)));
    const answer = await send(snappy(body), version2);
    expect([answer.status, answer.headers?.["x-prometheus-remote-write-samples-written"]]).toEqual([400, "2"]);
    expect(answer.body).toBe("1 series were not taken: a label without a name");
    expect(intake.records.filter(({ flaw }) => flaw).map(({ flaw }) => flaw!.code)).toEqual(["bad_series"]);
    expect(series().filter(({ samples }: { samples: unknown[] }) => samples.length === 2)).toHaveLength(1);
  });

  test("a table of symbols that is said again and again does not fill the log", async () => {
    const { intake, send } = start();
    const long = "x".repeat(60_000);
    const body = Buffer.concat([
      table("__name__", "up", "l", long),
      ...Array.from({ length: 4_000 }, () => message(5, packed(1, 1, 2, 3, 4))),
    ]);
    expect((await send(snappy(body), version2)).status).toBe(400);
    expect(intake.records.reduce((n, { body: bytes }) => n + bytes.length, 0)).toBeLessThan(160 * 1024 ** 2);
  });
});

describe("what is none of it", () => {
  test.each([
    ["no name", message(1, label("job", "node"), sample(1)), "no __name__"],
    ["a label twice", series1("up", label("job", "again"), sample(1)), "the label job twice"],
  ])("a series with %s", async (_, bad, why) => {
    const { intake, send, series } = start();
    const answer = await send(snappy(Buffer.concat([bad, series1("up", sample(1))])));
    expect([answer.status, answer.body]).toEqual([400, `1 series were not taken: ${why}`]);
    expect(intake.records.map(({ flaw }) => flaw?.code)).toEqual(["bad_series", undefined]);
    expect(series()).toHaveLength(1);
  });

  test("other types and encodings are answered 415, damage 400, too much 413; the bytes are in the dead letters", async () => {
    const { intake, send } = start({ max_body_bytes: 10_000 });
    const good = snappy(series1("up", sample(1)));
    for (const type of ["application/json", "", "application/x-protobuf;proto=other"])
      expect((await send(good, { ...version1, "content-type": type })).status).toBe(415);
    expect((await send(good, { ...version1, "content-encoding": "gzip" })).status).toBe(415);
    expect(intake.records).toEqual([]);
    expect((await send(Buffer.from("no snappy"))).status).toBe(400);
    expect((await send(snappy("no protobuf"))).status).toBe(400);
    expect((await send(Buffer.from([0xa0, 0x9c, 1, 0, 1]))).status).toBe(413);
    expect((await send(Buffer.alloc(20_000))).status).toBe(413);
    expect(intake.records.map(({ flaw }) => flaw?.code)).toEqual(["bad_encoding", "bad_request", "too_large"]);
  });

  test("no room is 503, never 429, on which Prometheus drops samples", async () => {
    const { intake, send } = start();
    intake.refuse = 1;
    await expect(send(snappy(series1("up", sample(1))))).rejects.toMatchObject({ code: "backpressure" });
    const refusal = { status: 429, code: "backpressure", message: "no room", presented: true } as const;
    const asked = { method: "POST", path: "/api/v1/write", headers: {} };
    expect(prometheusWrite.refuse!(refusal, asked).status).toBe(503);
    expect(prometheusWrite.refuse!({ ...refusal, status: 401, code: "unauthorised" }, asked).status).toBe(401);
  });
});
