import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import elasticsearch from "./elasticsearch.ts";
import { EndpointRun, type TestRequest } from "./requests.fixture.ts";

const start = (config: object = {}) => new EndpointRun(elasticsearch, config);
const send = async (request: TestRequest, run = start()) => {
  const response = await run.send(request);
  const reply = response.body === "" ? undefined : JSON.parse(String(response.body ?? ""));
  return { status: response.status, headers: response.headers ?? {}, reply, intake: run.intake("elasticsearch") };
};
const bulk = (lines: readonly (string | object)[], path = "/_bulk", run = start(), headers: TestRequest["headers"] = {}) => {
  const body = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");
  return send({ path, body, headers }, run);
};

/** One member of every item, in order. */
const members = (
  reply: { readonly items: readonly { readonly [action: string]: { readonly [member: string]: unknown } }[] },
  member: string,
) => reply.items.map((item) => Object.values(item)[0]?.[member]);

describe("the handshakes of the senders", () => {
  test.each<[string, readonly [string, string, number][]]>([
    [
      "Filebeat",
      [
        ["GET", "/", 200],
        ["GET", "/_license?human=false", 200],
        ["GET", "/_xpack", 200],
        ["GET", "/_ilm/policy/filebeat", 200],
        ["PUT", "/_ilm/policy/filebeat", 200],
        ["HEAD", "/_index_template/filebeat-8.17.0", 200],
        ["PUT", "/_index_template/filebeat-8.17.0", 200],
        ["GET", "/_data_stream/filebeat-8.17.0", 200],
        ["PUT", "/_data_stream/filebeat-8.17.0", 200],
        ["GET", "/_nodes/ingest", 200],
        ["PUT", "/_ingest/pipeline/filebeat-8.17.0-nginx-access", 200],
      ],
    ],
    [
      "Logstash",
      [
        ["HEAD", "/", 200],
        ["GET", "/", 200],
        ["GET", "/_license", 200],
        ["HEAD", "/_index_template/ecs-logstash", 200],
        ["PUT", "/_component_template/ecs-logstash", 200],
        ["HEAD", "/_template/logstash", 200],
        ["GET", "/_ilm/policy/logstash-policy", 200],
        ["HEAD", "/logstash", 200],
        ["GET", "/_nodes/http", 200],
      ],
    ],
    [
      "Vector",
      [
        ["GET", "/_cluster/health", 200],
        ["GET", "/", 200],
      ],
    ],
  ])("%s", async (_, steps) => {
    for (const [method, path, status] of steps) {
      const answer = await send({ method, path });
      expect([path, answer.status, answer.headers["x-elastic-product"]]).toEqual([path, status, "Elasticsearch"]);
    }
  });

  test("banner and licence say what senders look at", async () => {
    expect((await send({ method: "GET", path: "/" })).reply.version.number).toBe("8.17.0");
    expect((await send({ method: "GET", path: "/" }, start({ version: "9.1.2" }))).reply.version.number).toBe("9.1.2");
    expect((await send({ method: "GET", path: "/_license" })).reply.license).toMatchObject({ status: "active", type: "basic" });
    expect((await send({ method: "HEAD", path: "/" })).reply).toBeUndefined();
    expect((await send({ method: "PUT", path: "/_index_template/x", body: "{}" })).reply).toEqual({ acknowledged: true });
  });

  test("the versioned media type comes back", async () => {
    const type = "application/vnd.elasticsearch+x-ndjson; compatible-with=9";
    const { headers } = await bulk([{ index: {} }, { a: 1 }], "/_bulk", start(), { "content-type": type });
    expect(headers["content-type"]).toBe("application/vnd.elasticsearch+json;compatible-with=9");
    expect((await bulk([{ index: {} }, { a: 1 }])).headers["content-type"]).toBe("application/json");
  });

  test("only the banner is open", () => {
    expect(elasticsearch.routes.filter((route) => route.open).map((route) => `${route.method} ${route.path}`)).toEqual(["GET /", "HEAD /"]);
  });
});

describe("bulk", () => {
  test("Filebeat: gzip and filter_path", async () => {
    const body = gzipSync('{"create":{"_index":"filebeat-8.17.0"}}\n{"@timestamp":"2026-11-21T07:00:00.000Z","message":"a"}\n'.repeat(3));
    const path = "/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status";
    const { status, reply, intake } = await send({ path, body, headers: { "content-encoding": "gzip" } });
    expect([status, reply]).toEqual([200, { errors: false, items: Array(3).fill({ create: { status: 201 } }) }]);
    expect(intake.accepts.map((accept) => accept.stream)).toEqual(["filebeat-8.17.0"]);
  });

  test("Fluent Bit: a slash, a pipeline, _type", async () => {
    const { reply, intake } = await bulk([{ create: { _index: "fluent-bit", _type: "_doc" } }, { log: "x" }], "/_bulk/?pipeline=x");
    expect(reply).toMatchObject({ errors: false, items: [{ create: { _index: "fluent-bit", status: 201 } }] });
    expect(intake.texts).toEqual(['{"log":"x"}']);
  });

  test("rsyslog: blank lines between entries, CR LF, charset", async () => {
    const { reply, intake } = await bulk([{ index: { _index: "a" } }, '{"m":1}\r', "", "\r", { index: { _index: "a" } }, { m: 2 }, ""]);
    expect(reply.items.length).toBe(2);
    expect(intake.texts).toEqual(['{"m":1}', '{"m":2}']);
  });

  test("the Python client: PUT, index in the path", async () => {
    const run = start();
    const body = '{"index":{}}\n{"a":1}\n{"index":{"_index":"other"}}\n{"a":2}\n';
    const { reply } = await send({ method: "PUT", path: "/logs-a/_bulk", body }, run);
    expect(members(reply, "_index")).toEqual(["logs-a", "other"]);
  });

  test("ids: duplicates get 409, for create and index alike; other indices are other ids", async () => {
    const run = start();
    const lines = [
      { create: { _index: "a", _id: "1" } },
      { n: 1 },
      { index: { _index: "a", _id: 2 } },
      { n: 2 },
      { index: { _index: "b", _id: "1" } },
      { n: 3 },
    ];
    expect((await bulk(lines, "/_bulk", run)).reply.errors).toBe(false);
    const { reply } = await bulk([...lines, { create: { _index: "a" } }, { n: 4 }], "/_bulk", run);
    expect(reply.errors).toBe(true);
    expect(members(reply, "status")).toEqual([409, 409, 409, 201]);
    expect(reply.items[0].create.error.type).toBe("version_conflict_engine_exception");
  });

  test("sent again without ids, the same body gives the same positions; another body gives others", async () => {
    const run = start();
    const lines = [{ create: {} }, { n: 1 }, { create: {} }, { n: 1 }];
    await bulk(lines, "/_bulk", run);
    await bulk(lines, "/_bulk", run);
    await bulk([...lines, { create: {} }, { n: 1 }], "/_bulk", run);
    expect(run.intake("elasticsearch").distinct.size).toBe(5);
  });

  test.each<[string, readonly (string | object)[], readonly (string | undefined)[], readonly number[]]>([
    ["an unparseable document", [{ create: {} }, "{oops", { create: {} }, { a: 1 }], ["bad_json", undefined], [201, 201]],
    ["a document that is no object", [{ create: {} }, "[1]", { create: {} }, "7"], ["bad_json", "bad_json"], [201, 201]],
    ["an action without document", [{ create: {} }, { index: { _id: "x" } }, { a: 1 }], ["bad_request", undefined], [201, 201]],
    ["an action at the end", [{ create: {} }, { a: 1 }, { create: {} }], [undefined, "bad_request"], [201, 201]],
    ["a broken action", ['{"create":{', { a: 1 }, { create: {} }, { a: 2 }], ["bad_request", undefined], [201, 201]],
    [
      "update and delete",
      [{ update: { _id: "1" } }, { doc: {} }, { delete: { _id: "1" } }, { create: {} }, { a: 1 }],
      ["bad_request", "bad_request", undefined],
      [400, 400, 201],
    ],
    ["too deep", [{ create: {} }, `{"a":${"[".repeat(1_000_000)}`, { create: {} }, { a: 1 }], ["too_deep", undefined], [201, 201]],
    ["too long", [{ create: {} }, { a: "x".repeat(2_000_000) }, { create: {} }, { a: 1 }], ["too_long", undefined], [201, 201]],
    [
      "__proto__ everywhere",
      ['{"create":{"__proto__":{"_id":"1"}}}', { create: {} }, '{"__proto__":{"a":1}}'],
      ["bad_request", undefined],
      [201, 201],
    ],
  ])("%s", async (_, lines, flaws, statuses) => {
    const { status, reply, intake } = await bulk(lines);
    expect(status).toBe(200);
    expect(intake.records.map((record) => record.flaw?.code)).toEqual(flaws);
    expect(members(reply, "status")).toEqual(statuses);
    expect(intake.records.every((record) => record.body.length <= 65_536 || record.flaw === undefined)).toBe(true);
  });

  test("half a bulk: at every byte of it, whole documents are kept and the cut one is a dead letter", async () => {
    const whole = '{"create":{"_index":"a","_id":"1"}}\n{"message":"one"}\n{"index":{"_index":"a"}}\n{"message":"two"}\n';
    for (let length = 1; length <= whole.length; length++) {
      const { status, reply, intake } = await send({ path: "/_bulk", body: whole.slice(0, length) });
      expect(status).toBe(200);
      expect(reply.items.length).toBe(intake.records.length);
      const good = intake.records.filter((record) => record.flaw === undefined).map((record) => String(record.body));
      const ends = [whole.indexOf('\n{"index'), whole.length - 1].filter((end) => end <= length).length;
      expect(good).toEqual(['{"message":"one"}', '{"message":"two"}'].slice(0, ends));
      expect(intake.records.length - good.length).toBeLessThanOrEqual(1);
    }
  });

  test("in order over many indices and batches", async () => {
    const lines = Array.from({ length: 3_000 }, (_, n) => [{ create: { _index: `i${n % 7}`, _id: `${n}` } }, { n }]).flat();
    const { reply, intake } = await bulk(lines);
    expect(members(reply, "_id")).toEqual(Array.from({ length: 3_000 }, (_, n) => `${n}`));
    expect(new Set(intake.accepts.map((accept) => accept.stream)).size).toBe(7);
  });

  test("back-pressure: the whole request gets 429, a body over the cap 413, none of it is kept", async () => {
    const run = start({ max_body_bytes: 2_000 });
    run.intake("elasticsearch").refuse = 1;
    expect(await bulk([{ create: {} }, { a: 1 }], "/_bulk", run)).toMatchObject({
      status: 429,
      headers: { "retry-after": "1", "x-elastic-product": "Elasticsearch" },
    });
    expect(await bulk([{ create: {} }, { a: "x".repeat(2_000) }], "/_bulk", run)).toMatchObject({ status: 413, reply: { status: 413 } });
    expect(run.intake("elasticsearch").records).toEqual([]);
    expect((await send({ path: "/_bulk", body: "x", headers: { "content-encoding": "gzip" } })).status).toBe(400);
    expect((await send({ path: "/_bulk", body: "\n" })).status).toBe(400);
  });
});

describe("single documents", () => {
  test("Slurm's job records", async () => {
    const { status, reply, intake } = await send({ path: "/slurm/_doc", body: '{\n"jobid":7}' });
    expect([status, reply.result, intake.texts]).toEqual([201, "created", ['{\n"jobid":7}']]);
  });
  test("with an id, once", async () => {
    const run = start();
    expect((await send({ method: "PUT", path: "/a/_doc/x%2Fy", body: "{}" }, run)).reply._id).toBe("x/y");
    expect((await send({ method: "PUT", path: "/a/_create/x%2Fy", body: "{}" }, run)).status).toBe(409);
    expect((await send({ path: "/a/_doc/%zz", body: "{}" }, run)).status).toBe(201);
  });
  test("what cannot be parsed is kept", async () => {
    for (const body of ["", "oops", "[1]", '{"a":1']) {
      const { status, intake } = await send({ path: "/a/_doc", body });
      expect([status, intake.records.length, intake.records[0]?.flaw !== undefined]).toEqual([201, 1, true]);
    }
  });
});
