import { afterEach, beforeEach, expect, test } from "vitest";
import { adminToken, peopleOf, type Rig, rig } from "../testing/fakes.ts";
import { isProblem, requestsTo } from "../testing/requests.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());
const { get, post } = requestsTo(() => it);

const cookieOf = (response: { headers: { [name: string]: unknown } }) => String(response.headers["set-cookie"]).split(";")[0]!;
const own = { origin: "http://localhost:80", host: "localhost:80" };

test("a one-time link works once", async () => {
  const url = `/login?token=${it.auth.issueLogin()}`;
  const first = await get(url, {});
  expect([first.statusCode, first.headers["location"]]).toEqual([303, "/"]);
  expect(first.headers["set-cookie"]).toMatch(/^vedette_session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
  expect((await get("/api/v1/session", { cookie: cookieOf(first) })).json()).toMatchObject({
    user: "admin",
    kind: "shared",
    permissions: expect.arrayContaining(["users:write"]),
  });
  isProblem(await get(url, {}), 401, "unauthorised");
});

test("a one-time link expires", async () => {
  const url = `/login?token=${it.auth.issueLogin()}`;
  await it.clock.pass(3_600_000);
  isProblem(await get(url, {}), 401, "unauthorised");
});

test("login with the admin token, logout, expiry", async () => {
  const login = await post("/api/v1/session", { token: adminToken }, {});
  expect(login.statusCode).toBe(204);
  const cookie = `theme=dark; ${cookieOf(login)}`;
  expect((await get("/api/v1/session", { cookie })).statusCode).toBe(200);
  const logout = await it.app.inject({ method: "DELETE", url: "/api/v1/session", headers: { cookie, ...own } });
  expect(logout.statusCode).toBe(204);
  expect(logout.headers["set-cookie"]).toContain("Max-Age=0");
  isProblem(await get("/api/v1/session", { cookie }), 401, "unauthorised");

  const again = cookieOf(await post("/api/v1/session", { token: adminToken }, {}));
  await it.clock.pass(3_600_000);
  isProblem(await get("/api/v1/session", { cookie: again }), 401, "unauthorised");
});

test("sessions outlive the server, as hashes", async () => {
  const { secret } = (await it.auth.loginWithToken(adminToken, { ip: "::1", agent: "" }))!;
  expect(JSON.stringify(await it.store.people.load(0))).not.toContain(secret);
  expect((await peopleOf(it.store, it.clock)).ofCookie(secret)).toMatchObject({ kind: "shared" });
});

test("what a cookie changes must come from our own page", async () => {
  const cookie = cookieOf(await post("/api/v1/session", { token: adminToken }, {}));
  for (const headers of [
    {},
    { origin: "http://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { origin: "http://localhost:3000" },
  ])
    isProblem(await post("/api/v1/demo", undefined, { cookie, host: "localhost:80", ...headers } as never), 403, "forbidden");
  expect((await post("/api/v1/demo", undefined, { cookie, ...own })).statusCode).toBe(202);
  expect((await post("/api/v1/demo", undefined, { cookie, "sec-fetch-site": "same-origin" })).statusCode).toBe(202);
});
