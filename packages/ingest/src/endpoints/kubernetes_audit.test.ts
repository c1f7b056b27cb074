import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import audit from "./kubernetes_audit.ts";
import { EndpointRun, type TestRequest } from "./requests.fixture.ts";

const start = (config: object = {}) => {
  const run = new EndpointRun(audit, config);
  const intake = run.intake("kubernetes_audit");
  const send = async (request: Partial<TestRequest>) => {
    const response = await run.send({ path: "/kubernetes/audit", ...request });
    return [response.status, JSON.parse(String(response.body))] as const;
  };
  return { intake, send };
};
/** As a kube-apiserver 1.30 words it: items leave out kind and apiVersion. */
const event = (auditID: string, stage: string, more: object = {}) => ({
  level: "Metadata",
  auditID,
  stage,
  requestURI: "/api/v1/namespaces/default/secrets",
  verb: "list",
  user: { username: "system:serviceaccount:default:ci", groups: ["system:authenticated"] },
  sourceIPs: ["192.0.2.7"],
  objectRef: { resource: "secrets", namespace: "default", apiVersion: "v1" },
  requestReceivedTimestamp: "2024-05-01T10:00:00.000000Z",
  stageTimestamp: "2024-05-01T10:00:00.250000Z",
  ...more,
});
const list = (...items: readonly unknown[]) => JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });

test("one record an event, known by auditID and stage when the batch is sent again", async () => {
  const { intake, send } = start();
  const events = [event("a", "RequestReceived"), event("a", "ResponseComplete"), event("b", "ResponseComplete")];
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  for (let i = 0; i < 2; i++) expect(await send({ body: gzipSync(list(...events)), headers })).toEqual([200, {}]);
  expect(intake.texts.slice(0, 3).map((text) => JSON.parse(text))).toEqual(
    events.map((one) => ({ kind: "Event", apiVersion: "audit.k8s.io/v1", ...one })),
  );
  expect([...intake.seen]).toEqual(["a/RequestReceived", "a/ResponseComplete", "b/ResponseComplete"]);
});

test("an empty batch", async () => {
  const { intake, send } = start();
  expect(await send({ body: list() })).toEqual([200, {}]);
  expect(intake.accepts).toEqual([]);
});

test("odd items are dead letters and cost no other", async () => {
  const { intake, send } = start({ max_record_bytes: 1_000 });
  const items = [7, null, {}, event("", "x"), event("a", "x", { requestObject: "x".repeat(1_000) }), event("b", "x")];
  expect(await send({ body: list(...items) })).toEqual([200, {}]);
  const flaws = ["bad_request", "bad_request", "bad_request", "bad_request", "too_long", undefined];
  expect(intake.records.map((record) => record.flaw?.code)).toEqual(flaws);
});

test.each([
  ["nothing", ""],
  ["a single event", JSON.stringify({ kind: "Event", ...event("a", "x") })],
  ["half a list", list(event("a", "x")).slice(0, 80)],
  ["null", "null"],
  ["no items", '{"kind":"EventList"}'],
  ["depth", `{"kind":"EventList","items":${"[".repeat(100)}${"]".repeat(100)}}`],
])("%s: a Status that says so, and a dead letter", async (_, body) => {
  const { intake, send } = start();
  const [status, reply] = await send({ body });
  expect([status, reply.kind, reply.reason, reply.code]).toEqual([400, "Status", "BadRequest", 400]);
  expect(intake.records.map((record) => record.flaw?.code)).toEqual(["bad_request"]);
});

test("bombs, large bodies and refusals", async () => {
  const { intake, send } = start({ max_body_bytes: 2_000_000 });
  const bomb = await send({ body: gzipSync(Buffer.alloc(8_000_000)), headers: { "content-encoding": "gzip" } });
  expect([bomb[0], bomb[1].reason]).toEqual([413, "RequestEntityTooLarge"]);
  intake.refuse = 1;
  await expect(send({ body: list(event("a", "x")) })).rejects.toMatchObject({ code: "backpressure" });
  const asked = { method: "POST", path: "/kubernetes/audit", headers: {} };
  for (const [status, reason] of [
    [401, "Unauthorized"],
    [403, "Forbidden"],
    [429, "TooManyRequests"],
    [503, "ServiceUnavailable"],
  ] as const) {
    const answer = audit.refuse!({ status, code: "backpressure", message: "no", presented: true }, asked);
    expect([answer.status, JSON.parse(String(answer.body)).reason]).toEqual([status, reason]);
  }
  expect(intake.records).toEqual([]);
});
