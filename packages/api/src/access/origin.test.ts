/** Cross-site requests: what changes something needs, of a browser with the session's cookie, that it comes from our own page. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, type Rig, rig } from "../testing/fakes.ts";

let it: Rig;
let cookie: string;
let changing: { readonly name: string; readonly method: "POST" | "PUT" | "DELETE"; readonly url: string }[];
const host = "localhost:8080";
beforeAll(async () => {
  it = await rig();
  const login = await it.app.inject({ method: "POST", url: "/api/v1/session", payload: { token: adminToken } });
  cookie = String(login.headers["set-cookie"]).split(";")[0]!;
  // what no permission guards takes no cookie: sign-in, machines by their certificates
  changing = it.app.demands
    .filter(({ method, permission }) => permission !== undefined && !["GET", "HEAD", "OPTIONS"].includes(method))
    .map(({ method, url }) => ({ name: `${method} ${url}`, method: method as "POST", url: url.replace(/:\w+/g, "x") }));
});
afterAll(() => it.app.close());

const foreign: readonly { readonly [header: string]: string }[] = [
  {},
  { origin: "https://evil.example" },
  { origin: "null" },
  { origin: "" },
  { origin: "http://localhost:8081" },
  { origin: "http://localhost" },
  { origin: "http://localhost:8080.evil.example" },
  { origin: "http://evil.example#http://localhost:8080" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { "sec-fetch-site": "none" },
  { origin: "https://evil.example", "sec-fetch-site": "same-origin" },
  { referer: "http://localhost:8080/" },
];
const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"];

test("no route that changes something takes the cookie from another site, whatever the body calls itself", async () => {
  expect(changing.length).toBeGreaterThan(20);
  for (const { name, method, url } of changing)
    for (const [i, headers] of foreign.entries()) {
      const type = types[i % types.length]!;
      const response = await it.app.inject({ method, url, headers: { host, cookie, "content-type": type, ...headers }, payload: "{}" });
      expect([name, headers, response.statusCode]).toEqual([name, headers, 403]);
    }
});

test("from our own page, and with a token, every one of them is let through", async () => {
  for (const { name, method, url } of changing.filter((one) => one.name !== "DELETE /api/v1/session"))
    for (const headers of [
      { cookie, origin: `http://${host}` },
      { cookie, "sec-fetch-site": "same-origin" },
      { authorization: `Bearer ${adminToken}` },
    ]) {
      const response = await it.app.inject({
        method,
        url,
        headers: { host, "content-type": "application/json", ...headers },
        payload: "{}",
      });
      expect([name, headers, [401, 403].includes(response.statusCode)]).toEqual([name, headers, false]);
    }
});

test("nothing invites another site: no answer allows an origin, preflights included", async () => {
  for (const { method, url } of changing) {
    const response = await it.app.inject({
      method: "OPTIONS",
      url,
      headers: { host, origin: "https://evil.example", "access-control-request-method": method },
    });
    expect(Object.keys(response.headers).filter((one) => one.startsWith("access-control"))).toEqual([]);
    expect(response.statusCode).toBeGreaterThanOrEqual(400);
  }
});
