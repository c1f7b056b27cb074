/** What the server does with what is hostile, whatever route it is for. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as schemas from "./schemas.ts";
import { asAdmin, type Rig, rig } from "./testing/fakes.ts";
import { requestsTo } from "./testing/requests.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());
const { get } = requestsTo(() => it);

test("every failure is a problem document without a trace of the inside", async () => {
  const long = "x".repeat(20_000);
  const requests = [
    { method: "GET", url: "/%" },
    { method: "GET", url: "/api/v1/alerts/%ff" },
    { method: "GET", url: `/api/v1/alerts/${"x".repeat(300)}` },
    { method: "GET", url: `/api/v1/events?q=${long}` },
    { method: "GET", url: "/api/v1/events?q=a&__proto__=1" },
    {
      method: "POST",
      url: "/api/v1/session",
      payload: '{"__proto__":{"x":1},"token":"t"}',
      headers: { "content-type": "application/json" },
    },
    { method: "POST", url: "/api/v1/session", payload: "{", headers: { "content-type": "application/json" } },
    { method: "POST", url: "/api/v1/session", payload: "token=x", headers: { "content-type": "application/x-www-form-urlencoded" } },
    {
      method: "POST",
      url: "/api/v1/session",
      payload: `{"token":"${"x".repeat(70_000)}"}`,
      headers: { "content-type": "application/json" },
    },
    { method: "POST", url: "/api/v1/session", payload: `${"[".repeat(30_000)}`, headers: { "content-type": "application/json" } },
    { method: "PUT", url: "/api/v1/alerts" },
    { method: "GET", url: "/login?token=wrong" },
    { method: "GET", url: "/login?token=" },
  ] as const;
  for (const request of requests) {
    const response = await it.app.inject({
      ...request,
      headers: { ...asAdmin, ...("headers" in request ? request.headers : {}) },
    } as never);
    const name = `${request.method} ${request.url.slice(0, 60)}`;
    expect([name, response.statusCode >= 400 && response.statusCode < 500, response.headers["content-type"]]).toEqual([
      name,
      true,
      "application/problem+json",
    ]);
    expect(response.body.length).toBeLessThan(8_000);
    expect(response.body).not.toMatch(/node_modules|\.ts:|at \w+ \(/);
  }
  expect(it.errors).toEqual([]);
});

test("no query text gives a 500", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'ab:*"()|/\\ =<>and or'), maxLength: 30 }), async (q) => {
      const response = await get(`/api/v1/query/check?q=${encodeURIComponent(q)}`);
      expect(response.statusCode).toBe(200);
      schemas.check.parse(response.json());
    }),
    { numRuns: 200 },
  );
});
