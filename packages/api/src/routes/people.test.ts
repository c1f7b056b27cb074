import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adminToken, asAdmin, type Rig, rig } from "../testing/fakes.ts";

let it: Rig;
let records: { action: string; outcome: string; by: { user: string }; fields?: { [name: string]: unknown } }[];
beforeEach(async () => {
  records = [];
  const audit = {
    record: async (entry: (typeof records)[number]) => void records.push(entry),
    newest: () => ({ records: [] }),
    head: () => undefined,
  };
  it = await rig({ audit: audit as never });
});
afterEach(() => it.app.close());

const password = "vier gelbe fahrräder";
const own = { origin: "http://localhost:80", host: "localhost:80" };
type Headers = { readonly [name: string]: string };
type Method = "GET" | "POST" | "PATCH" | "DELETE";
async function ask<T = Record<string, never>>(method: Method, url: string, headers: Headers, payload?: object) {
  const answer = await it.app.inject({ method, url: `/api/v1${url}`, headers, ...(payload && { payload }) });
  const cookie = [answer.headers["set-cookie"] ?? []].flat().map((one) => String(one).split(";")[0]!)[0];
  return { status: answer.statusCode, body: (answer.body === "" ? undefined : answer.json()) as T, cookie, headers: answer.headers };
}
const by = (cookie: string | undefined): Headers => ({ cookie: cookie!, ...own });
const told = (action: string) =>
  records.filter((one) => one.action === action && one.outcome !== "unknown").map(({ outcome, fields }) => ({ outcome, ...fields }));

/** Somebody who has a password of their own, signed in. */
async function ada(grants: object[] = [{ role: "analyst" }]) {
  const made = await ask<{ user: { id: string }; initial_password: string }>("POST", "/users", asAdmin, { name: "ada", grants });
  expect(made.status).toBe(201);
  const first = await ask("POST", "/session", {}, { name: "ada", password: made.body.initial_password });
  const changed = await ask("POST", "/me/password", by(first.cookie), { password: made.body.initial_password, new_password: password });
  expect(changed.status).toBe(204);
  return { id: made.body.user.id, cookie: changed.cookie!, before: first.cookie! };
}
interface WhoIs {
  readonly user: string;
  readonly permissions: readonly string[];
  readonly duty?: string;
}

describe("people over HTTP", () => {
  test("a first password is good for nothing but changing it; the session's secret is another afterwards", async () => {
    const made = await ask<{ user: object; initial_password: string }>("POST", "/users", asAdmin, {
      name: "Ada",
      grants: [{ role: "analyst" }],
    });
    expect(made.body.user).toMatchObject({ name: "ada", password: "initial", totp: false });
    const first = await ask("POST", "/session", {}, { name: "ada", password: made.body.initial_password });
    expect(first.status).toBe(204);
    expect((await ask<WhoIs>("GET", "/session", by(first.cookie))).body).toMatchObject({
      user: "ada",
      permissions: [],
      duty: "change_password",
    });
    expect((await ask("GET", "/alerts", by(first.cookie))).status).toBe(403);
    const weak = await ask("POST", "/me/password", by(first.cookie), {
      password: made.body.initial_password,
      new_password: "Password1234",
    });
    expect([weak.status, weak.body]).toMatchObject([400, { code: "bad_request", detail: expect.stringContaining("password: ") }]);
    const changed = await ask("POST", "/me/password", by(first.cookie), { password: made.body.initial_password, new_password: password });
    expect(changed.cookie).not.toBe(first.cookie);
    expect((await ask("GET", "/session", by(first.cookie))).status).toBe(401);
    expect((await ask<WhoIs>("GET", "/session", by(changed.cookie))).body.duty).toBeUndefined();
    expect((await ask("GET", "/alerts", by(changed.cookie))).status).toBe(200);
    expect((await ask("GET", "/users", by(changed.cookie))).status).toBe(403);
  });

  test("a browser that signs in leaves the session it had; a cookie that somebody planted opens nothing", async () => {
    const { cookie } = await ada();
    const planted = "vedette_session=x-planted-by-somebody-else-xxxxxxxxxxxxxxxx";
    const again = await ask("POST", "/session", by(planted), { name: "ada", password });
    expect(again.cookie).not.toBe(planted);
    expect((await ask("GET", "/session", by(planted))).status).toBe(401);
    const next = await ask("POST", "/session", by(cookie), { name: "ada", password });
    expect((await ask("GET", "/session", by(cookie))).status).toBe(401);
    expect((await ask("GET", "/session", by(next.cookie))).status).toBe(200);
    const shared = await ask("POST", "/session", by(next.cookie), { token: adminToken });
    expect((await ask("GET", "/session", by(next.cookie))).status).toBe(401);
    expect((await ask<WhoIs>("GET", "/session", by(shared.cookie))).body.user).toBe("admin");
  });

  test("what cannot be signed in with says which fields are expected, and a wrong password no more than that", async () => {
    await ada();
    for (const body of [{}, { name: "ada" }, { token: "", name: "ada" }, { name: "ada", password, more: 1 }]) {
      const { status, body: problem } = await ask("POST", "/session", {}, body);
      expect([status, problem]).toMatchObject([
        400,
        { code: "bad_request", detail: expect.stringMatching(/^body.*(expected token; or name and password|token|password|more)/) },
      ]);
    }
    const wrong = await ask("POST", "/session", {}, { name: "ada", password: "no" });
    const nobody = await ask("POST", "/session", {}, { name: "nobody", password: "no" });
    expect(wrong.body).toEqual(nobody.body);
    expect([wrong.status, nobody.status]).toEqual([401, 401]);
    expect(JSON.stringify(records)).not.toContain(password);
    for (let i = 0; i < 9; i++) await ask("POST", "/session", {}, { name: "ada", password: "no" });
    const locked = await ask("POST", "/session", {}, { name: "ada", password });
    expect([locked.status, Number(locked.headers["retry-after"])]).toEqual([429, 60]);
  });

  test("programs get tokens by name; a refresh token that is shown twice ends all, and any is revoked", async () => {
    const { id } = await ada();
    interface Pair {
      readonly access_token: string;
      readonly refresh_token: string;
      readonly expires_in: number;
    }
    const one = await ask<Pair>("POST", "/token", {}, { name: "ada", password });
    expect([one.status, one.body.expires_in, one.headers["cache-control"]]).toEqual([200, 1_800, "no-store"]);
    const bearer = ({ body }: { body: Pair }): Headers => ({ authorization: `Bearer ${body.access_token}` });
    expect((await ask<WhoIs>("GET", "/session", bearer(one))).body).toMatchObject({
      user: "ada",
      permissions: expect.arrayContaining(["alerts:write"]),
    });
    const open = await ask<{ sessions: { kind: string }[] }>("GET", `/users/${id}/sessions`, asAdmin);
    expect(open.body.sessions.map(({ kind }) => kind).sort()).toEqual(["browser", "client"]);
    const two = await ask<Pair>("POST", "/token/refresh", {}, { refresh_token: one.body.refresh_token });
    expect((await ask("GET", "/session", bearer(two))).status).toBe(200);
    expect((await ask("POST", "/token/refresh", {}, { refresh_token: one.body.refresh_token })).status).toBe(401);
    for (const pair of [one, two]) expect((await ask("GET", "/session", bearer(pair))).status).toBe(401);
    expect(told("token_refreshed")).toMatchObject([
      { outcome: "success" },
      { outcome: "failure", "event.reason": expect.stringContaining("shown twice") },
    ]);
    const three = await ask<Pair>("POST", "/token", {}, { name: "ada", password });
    expect((await ask("POST", "/token/revoke", {}, { refresh_token: three.body.refresh_token })).status).toBe(204);
    expect((await ask("POST", "/token/revoke", {}, { refresh_token: "whatever" })).status).toBe(204);
    expect((await ask("GET", "/session", bearer(three))).status).toBe(401);
  });

  test("one-time codes: a password again before they are set up, recovery codes once, and a sign-in that is half done is no failure", async () => {
    const { cookie } = await ada();
    const begun = await ask<{ secret: string; uri: string }>("POST", "/me/totp", by(cookie), { password });
    expect(begun.body.uri).toMatch(/^otpauth:\/\/totp\/Vedette:ada\?secret=[A-Z2-7]{32}&/);
    expect((await ask("POST", "/me/totp", by(cookie), { password: "no" })).status).toBe(400);
    expect((await ask("POST", "/me/totp/confirm", by(cookie), { code: "x" })).status).toBe(400);
    const code = await codeOf(begun.body.secret, it.clock.now());
    const confirmed = await ask<{ recovery_codes: string[] }>("POST", "/me/totp/confirm", by(cookie), { code });
    expect([confirmed.status, confirmed.body.recovery_codes.length]).toEqual([200, 10]);
    records.length = 0;
    const half = await ask("POST", "/session", {}, { name: "ada", password });
    expect([half.status, half.body]).toMatchObject([401, { code: "second_factor_needed" }]);
    expect(told("login")).toEqual([]);
    expect((await ask("POST", "/session", {}, { name: "ada", password, totp: code })).status).toBe(401);
    const recovery = confirmed.body.recovery_codes[0]!;
    expect((await ask("POST", "/session", {}, { name: "ada", password, recovery })).status).toBe(204);
    expect((await ask("POST", "/session", {}, { name: "ada", password, recovery })).status).toBe(401);
    expect(told("login")).toMatchObject([
      { outcome: "failure", "user.name": "ada" },
      { outcome: "success", "user.name": "ada", "vedette.audit.by": "recovery" },
      { outcome: "failure" },
    ]);
    const reset = await ask<{ user: object }>("POST", `/users/${it.auth.people.users.ofName("ada")!.id}/reset`, asAdmin, {});
    expect(reset.body.user).toMatchObject({ totp: false, password: "initial", sessions: 0 });
  });

  test("sessions are listed without their secrets, and ended by their owner and by administrators, each only theirs", async () => {
    const { id, cookie } = await ada();
    const other = await ask<{ user: { id: string }; initial_password: string }>("POST", "/users", asAdmin, {
      name: "eve",
      grants: [{ role: "analyst" }],
    });
    const eve = await ask("POST", "/session", {}, { name: "eve", password: other.body.initial_password });
    type Sessions = { sessions: { id: string; current: boolean }[] };
    const mine = await ask<Sessions>("GET", "/me/sessions", by(cookie));
    expect(mine.body.sessions).toEqual([
      expect.objectContaining({ user: "ada", current: true, kind: "browser", by: "password", ip: "127.0.0.1" }),
    ]);
    expect(JSON.stringify(mine.body)).not.toContain(cookie.split("=")[1]);
    const [hers] = (await ask<Sessions>("GET", "/me/sessions", by(eve.cookie))).body.sessions;
    expect((await ask("DELETE", `/me/sessions/${hers!.id}`, by(cookie))).status).toBe(404);
    expect((await ask("DELETE", `/sessions/${hers!.id}`, by(cookie))).status).toBe(403);
    expect((await ask("DELETE", `/sessions/${hers!.id}`, asAdmin)).status).toBe(204);
    expect((await ask("GET", "/session", by(eve.cookie))).status).toBe(401);
    expect((await ask("DELETE", `/users/${id}/sessions`, asAdmin)).status).toBe(204);
    expect((await ask("GET", "/session", by(cookie))).status).toBe(401);
    expect((await ask<Sessions>("GET", "/sessions", asAdmin)).body.sessions).toEqual([]);
  });

  test("other grants, being disabled and being removed end what was open; the trail says what was before and after", async () => {
    const { id, cookie } = await ada();
    expect((await ask("PATCH", `/users/${id}`, asAdmin, { display_name: "Ada L.", email: "" })).body).toMatchObject({
      display_name: "Ada L.",
    });
    expect((await ask("GET", "/session", by(cookie))).status).toBe(200);
    await ask("PATCH", `/users/${id}`, asAdmin, { grants: [{ role: "viewer", rows: "host.name:login*" }] });
    expect((await ask("GET", "/session", by(cookie))).status).toBe(401);
    expect(told("user_changed").at(-1)).toMatchObject({
      "user.target.name": "ada",
      "vedette.audit.before": expect.stringContaining("analyst"),
      "vedette.audit.after": expect.stringContaining("login*"),
    });
    for (const grants of [[{ role: "king" }], [{ role: "viewer", rows: "host.name:(" }], [{ role: "viewer", masks: ["a b"] }], "admin"]) {
      const { status, body } = await ask("PATCH", `/users/${id}`, asAdmin, { grants });
      expect([status, body]).toMatchObject([400, { detail: expect.stringMatching(/^body\/grants/) }]);
    }
    await ask("PATCH", `/users/${id}`, asAdmin, { disabled: true });
    expect((await ask("POST", "/session", {}, { name: "ada", password })).status).toBe(401);
    expect((await ask("DELETE", `/users/${id}`, asAdmin)).status).toBe(204);
    expect((await ask("GET", `/users/${id}`, asAdmin)).status).toBe(404);
  });

  test("the last administrator stays", async () => {
    const { id, cookie } = await ada([{ role: "admin" }]);
    for (const asked of [
      ask("DELETE", `/users/${id}`, by(cookie)),
      ask("PATCH", `/users/${id}`, asAdmin, { disabled: true }),
      ask("PATCH", `/users/${id}`, asAdmin, { grants: [{ role: "engineer" }] }),
    ])
      expect([(await asked).status, (await asked).body]).toMatchObject([
        409,
        { code: "conflict", detail: expect.stringContaining("last administrator") },
      ]);
    expect((await ask("GET", "/users", by(cookie))).status).toBe(200);
  });

  test("the shared admin token is nobody who has a profile", async () => {
    for (const [method, url, body] of [
      ["GET", "/me", undefined],
      ["POST", "/me/password", { password: "x", new_password: "y" }],
      ["POST", "/me/totp", { password: "x" }],
      ["GET", "/me/sessions", undefined],
    ] as const)
      expect([url, (await ask(method, url, asAdmin, body)).status]).toEqual([url, 409]);
  });
});

/** Of a set-up's secret, at a time. */
async function codeOf(secret: string, now: number): Promise<string> {
  const { createHmac } = await import("node:crypto");
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000_000)));
  const mac = createHmac("sha1", Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2))))
    .update(counter)
    .digest();
  return String((mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}
