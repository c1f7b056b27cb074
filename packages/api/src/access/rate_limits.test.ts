import { afterEach, beforeEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "../testing/fakes.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig({ requestsPerMinute: 20 });
});
afterEach(() => it.app.close());

const ask = (url = "/api/v1/status", headers: object = asAdmin, remoteAddress = "127.0.0.1") =>
  it.app.inject({ url, headers: headers as never, remoteAddress });

test("a caller that asks too often is told when to come back, and then served", async () => {
  const first = await ask();
  expect([first.statusCode, first.headers["ratelimit-policy"], first.headers["ratelimit"]]).toEqual([
    200,
    '"requests";q=20;w=60',
    '"requests";r=9;t=3',
  ]);
  for (let i = 0; i < 9; i++) expect((await ask()).statusCode).toBe(200);
  const refused = await ask();
  expect([refused.statusCode, refused.json()]).toMatchObject([429, { code: "backpressure" }]);
  expect([refused.headers["retry-after"], refused.headers["ratelimit"]]).toEqual(["3", '"requests";r=0;t=30']);
  await it.clock.pass(3_000);
  expect((await ask()).statusCode).toBe(200);
  expect((await ask()).statusCode).toBe(429);
});

test("the limit is the principal's, from wherever; whoever has none is counted by address", async () => {
  for (let i = 0; i < 10; i++) await ask("/api/v1/status", asAdmin, `192.0.2.${i}`);
  expect((await ask("/api/v1/status", asAdmin, "192.0.2.99")).statusCode).toBe(429);
  // two a minute without a principal, one at once
  const open = (address: string) => ask("/api/v1/openapi.json", {}, address);
  expect([(await open("192.0.2.1")).statusCode, (await open("192.0.2.1")).statusCode, (await open("192.0.2.2")).statusCode]).toEqual([
    200, 429, 200,
  ]);
});

test("ingest, health and metrics are not counted", async () => {
  const send = () => it.app.inject({ method: "POST", url: "/ingest", headers: asAdmin, payload: "x" });
  for (let i = 0; i < 30; i++) expect((await send()).statusCode).toBe(200);
  for (let i = 0; i < 30; i++) expect((await ask("/healthz", {})).statusCode).toBe(200);
  expect((await ask("/metrics", {})).headers["ratelimit"]).toBeUndefined();
  expect((await ask()).statusCode).toBe(200);
});
