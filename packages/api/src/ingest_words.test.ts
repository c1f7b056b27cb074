/** What the server refuses on an endpoint's path is said in the endpoint's words, and in nobody else's. */
import { defineEndpoint, UnavailableError, z } from "@vedette/kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "./testing/fakes.ts";

const worded = defineEndpoint({
  name: "worded",
  summary: "Has words of its own.",
  stability: "beta",
  config: z.strictObject({}),
  routes: [{ method: "POST", path: "/worded" }],
  examples: [],
  async handle(request) {
    if (request.query.has("full")) throw new UnavailableError("backpressure", "full");
    return { status: 200, headers: { "content-type": "application/x-protobuf" }, body: Uint8Array.of(0, 255, 128) };
  },
  refuse: ({ status, code, presented }, { path, headers }) => ({
    status: status === 429 ? 503 : status,
    body: `${code} ${presented} ${path} ${headers["content-type"]} ${headers.authorization}`,
  }),
});

let it: Rig;
beforeEach(async () => {
  it = await rig({ endpoints: new Map([["worded", { spec: worded, config: {} }]]) });
});
afterEach(() => it.app.close());

const send = (url: string, headers: { [name: string]: string }) =>
  it.app.inject({ method: "POST", url, headers: { "content-type": "text/odd", ...headers }, payload: "a" });

test("no token, a wrong token, no room", async () => {
  const none = await send("/worded", {});
  expect([none.statusCode, none.headers["www-authenticate"], none.body]).toEqual([
    401,
    'Bearer realm="vedette"',
    "unauthorised false /worded text/odd undefined",
  ]);
  const wrong = await send("/worded", { authorization: "Splunk no" });
  expect([wrong.statusCode, wrong.body]).toEqual([401, "unauthorised true /worded text/odd undefined"]);
  const full = await send("/worded?full", asAdmin);
  expect([full.statusCode, full.headers["retry-after"], full.body]).toEqual([503, "1", "backpressure true /worded text/odd undefined"]);
});

test("an answer may be bytes", async () => {
  const { rawPayload, headers } = await send("/worded", asAdmin);
  expect([[...rawPayload], headers["content-type"]]).toEqual([[0, 255, 128], "application/x-protobuf"]);
});
