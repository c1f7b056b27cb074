import type { Grant, Principal } from "@vedette/access";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { asking } from "../testing/as.ts";
import { asAdmin, eventOf, type Rig, rig } from "../testing/fakes.ts";

describe("keys and explanations", () => {
  let it: Rig;
  beforeEach(async () => {
    it = await rig();
  });
  afterEach(() => it.app.close());

  const person = async (name: string, ...grants: readonly Grant[]) => {
    const { id } = await it.auth.people.users.create({ name, grants });
    const principal: Principal = { kind: "user", id, name, grants, by: "token" };
    return { id, headers: asking(it.auth, principal) };
  };
  const ask = (method: "GET" | "POST" | "PATCH" | "DELETE", url: string, headers: object, payload?: object) =>
    it.app.inject({ method, url: `/api/v1${url}`, headers: { ...headers }, ...(payload && { payload }) });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  test("a key is made for a part of what its owner may, shown once, used, and taken back", async () => {
    const ann = await person("ann", { role: "analyst" });
    const made = await ask("POST", "/keys", ann.headers, { name: "tickets", scope: ["alerts:read"] });
    expect(made.statusCode).toBe(201);
    const { token, id } = made.json();
    expect(token).toMatch(/^vdk_/);
    expect((await ask("GET", "/alerts", bearer(token))).statusCode).toBe(200);
    const beyond = await ask("GET", "/events", bearer(token));
    expect([beyond.statusCode, beyond.json().detail]).toEqual([403, "events:read is needed: this key is for alerts:read only"]);
    const listed = (await ask("GET", "/keys", ann.headers)).json();
    expect(listed.keys).toMatchObject([{ id, name: "tickets", scope: ["alerts:read"], used: expect.any(String) }]);
    expect(JSON.stringify(listed)).not.toContain(token.slice(4));
    // not the key of somebody else, and no key by a key
    expect((await ask("DELETE", `/keys/${id}`, asAdmin)).statusCode).toBe(404);
    expect((await ask("POST", "/keys", bearer(token), { name: "more", scope: ["alerts:read"] })).statusCode).toBe(403);
    expect((await ask("DELETE", `/keys/${id}`, ann.headers)).statusCode).toBe(204);
    expect((await ask("GET", "/alerts", bearer(token))).statusCode).toBe(401);
  });

  test("what the owner may not, a key is not made for; a mistake is named", async () => {
    const ann = await person("ann", { role: "viewer" });
    const beyond = await ask("POST", "/keys", ann.headers, { name: "k", scope: ["rules:write"] });
    expect([beyond.statusCode, beyond.json().detail]).toEqual([403, "scope: a key gives no more than its owner has: not rules:write"]);
    for (const [body, word] of [
      [{ name: "k", scope: ["rules:wirte"] }, "scope"],
      [{ name: "", scope: ["alerts:read"] }, "name"],
      [{ name: "k", scope: ["alerts:read"], days: 5_000 }, "days"],
    ] as const) {
      const refused = await ask("POST", "/keys", ann.headers, body);
      expect([refused.statusCode, refused.json().detail]).toEqual([400, expect.stringContaining(word)]);
    }
  });

  test("a password that is reset, and being disabled, end the keys that there are; being let in again brings none back", async () => {
    const ann = await person("ann", { role: "viewer" });
    const made = async () => (await ask("POST", "/keys", ann.headers, { name: "k", scope: ["alerts:read"] })).json().token as string;
    const works = async (token: string) => (await ask("GET", "/alerts", bearer(token))).statusCode === 200;
    const [first] = [await made()];
    expect(await works(first)).toBe(true);
    it.clock.time += 1;
    expect((await ask("PATCH", `/users/${ann.id}`, asAdmin, { disabled: true })).statusCode).toBe(200);
    expect(await works(first)).toBe(false);
    expect((await ask("PATCH", `/users/${ann.id}`, asAdmin, { disabled: false })).statusCode).toBe(200);
    expect(await works(first)).toBe(false);
    const second = await it.auth.keys.create(ann.id, { name: "k2", scope: ["alerts:read"] });
    expect(await works(second.token)).toBe(true);
    it.clock.time += 1;
    await it.auth.people.credentials.reset(ann.id);
    expect(await works(second.token)).toBe(false);
    expect((await ask("GET", `/users/${ann.id}/keys`, asAdmin)).json().keys).toEqual([]);
  });

  test("administrators see and revoke the keys of others", async () => {
    const [ann, bob] = [await person("ann", { role: "viewer" }), await person("bob", { role: "viewer" })];
    const { id } = (await ask("POST", "/keys", ann.headers, { name: "k", scope: ["alerts:read"] })).json();
    expect((await ask("GET", `/users/${ann.id}/keys`, bob.headers)).statusCode).toBe(403);
    expect((await ask("GET", `/users/${ann.id}/keys`, asAdmin)).json().keys).toMatchObject([{ id }]);
    expect((await ask("DELETE", `/users/${ann.id}/keys/${id}`, asAdmin)).statusCode).toBe(204);
    expect((await ask("GET", "/keys", ann.headers)).json().keys).toEqual([]);
  });

  test("who may do what is explained in plain words: of oneself, of others with users:read, of an event that one may see", async () => {
    it.store.all.push(eventOf("e1", { "labels.site": "a", "user.name": "eve" }));
    const ann = await person("ann", { role: "viewer", rows: "labels.site:b", masks: ["user.name"] });
    const explained = async (headers: object, query: string) => (await ask("GET", `/access/explain?${query}`, headers)).json();
    expect(await explained(ann.headers, "action=alerts:write")).toMatchObject({
      user: "ann",
      allowed: false,
      because: ["ann may not alerts:write: viewer does not hold it; the roles analyst, responder, admin would"],
    });
    expect(await explained(ann.headers, "action=alerts:read&user=admin")).toMatchObject({ code: "forbidden" });
    expect(await explained(asAdmin, "action=events:read&user=ann&resource=e1")).toEqual({
      user: "ann",
      action: "events:read",
      allowed: false,
      because: ["no grant lets ann see this event", "the grant viewer (rows labels.site:b; masks user.name) does not reach it"],
    });
    expect(await explained(asAdmin, "action=events:read&user=nobody")).toMatchObject({ code: "not_found" });
    expect(await explained(asAdmin, "action=events:read&resource=e9")).toMatchObject({ code: "not_found" });
    const { roles } = (await ask("GET", "/access/roles", ann.headers)).json();
    expect(roles.map((one: { role: string }) => one.role)).toEqual(["viewer", "analyst", "responder", "engineer", "auditor", "admin"]);
  });
});
