import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "./testing/fakes.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());

const make = (key: string, source = "web", headers: object = asAdmin, app = it.app) =>
  app.inject({ method: "POST", url: "/api/v1/source-tokens", headers: { ...headers, "idempotency-key": key }, payload: { source } });
const tokens = async () =>
  ((await it.app.inject({ url: "/api/v1/source-tokens", headers: asAdmin })).json() as { tokens: unknown[] }).tokens.length;

test("the same request twice is done once, and answered alike", async () => {
  const before = await tokens();
  const key = randomUUID();
  const first = await make(key);
  const again = await make(key);
  expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
  expect(again.json()).toEqual(first.json());
  expect([first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]]).toEqual([undefined, "true"]);
  expect(again.headers["content-type"]).toBe(first.headers["content-type"]);
  expect(await tokens()).toBe(before + 1);
  // another key, another token
  expect((await make(randomUUID())).json()).not.toEqual(first.json());
});

test("the key with another body is refused; without a key nothing is kept", async () => {
  const key = randomUUID();
  await make(key, "a");
  const other = await make(key, "b");
  expect([other.statusCode, other.json()]).toMatchObject([422, { code: "conflict" }]);
  for (const bad of ["", "x".repeat(256), "a b", "ü"]) expect([bad, (await make(bad)).statusCode]).toEqual([bad, 400]);
});

test("it holds over a restart, and for a day", async () => {
  const key = randomUUID();
  const first = await make(key);
  const { store } = it;
  const next = await rig({ store });
  expect((await make(key, "web", asAdmin, next.app)).json()).toEqual(first.json());
  next.clock.time = it.clock.time + 24 * 3_600_000_000;
  expect((await make(key, "web", asAdmin, next.app)).json()).not.toEqual(first.json());
  await next.app.close();
});

test("what is kept tells nobody the answer: a token in it cannot be read from the store", async () => {
  const key = randomUUID();
  const { token } = (await make(key)).json() as { token: string };
  const kept = [...it.store.kept].filter(([name]) => name.startsWith("api.idempotency"));
  expect(kept).toHaveLength(2);
  expect(JSON.stringify(kept)).not.toContain(token);
  expect(JSON.stringify(kept)).not.toContain(key);
});

test("a request whose end nobody saw is not done again", async () => {
  const key = randomUUID();
  it.store.beforeSet = (name, value) => {
    if (name.startsWith("api.idempotency.") && value?.includes('"status"')) throw new Error("the disk is gone");
  };
  expect((await make(key)).statusCode).toBe(500);
  const before = await tokens();
  delete it.store.beforeSet;
  expect((await make(key)).json()).toMatchObject({ status: 409, code: "conflict" });
  expect(await tokens()).toBe(before);
});

test("while one is done, the same is told to wait", async () => {
  const key = randomUUID();
  const before = await tokens();
  let second: Awaited<ReturnType<typeof make>> | undefined;
  it.store.beforeSet = async (name) => {
    if (name === "api.source_tokens") second = await make(key);
  };
  expect((await make(key)).statusCode).toBe(201);
  expect(second!.json()).toMatchObject({ status: 409, detail: "a request with this Idempotency-Key is under way" });
  delete it.store.beforeSet;
  expect(await tokens()).toBe(before + 1);
});

test("the same request at two servers at one moment is done once; different ones are both remembered", async () => {
  const other = await rig({ store: it.store });
  await make(randomUUID(), "web", asAdmin, other.app);
  const before = await tokens();
  const key = randomUUID();
  // both have looked before either goes on
  const { settings } = it.store;
  const looked = Promise.withResolvers<void>();
  let looks = 0;
  for (const how of ["get", "add"] as const) {
    const ask = settings[how] as (...about: string[]) => Promise<string | undefined>;
    const held = async (...about: string[]) => {
      const there = await ask(...about);
      if (/^api\.idempotency\../.test(about[0]!) && ++looks === 2) looked.resolve();
      if (looks > 0) await looked.promise;
      return there;
    };
    Object.assign(settings, { [how]: held });
  }
  const both = await Promise.all([make(key), make(key, "web", asAdmin, other.app)]);
  // the other one waits or hears what the first was answered
  expect(both.filter(({ statusCode, headers }) => statusCode === 201 && !headers["idempotency-replayed"])).toHaveLength(1);
  expect(await tokens()).toBe(before + 1);
  const listed = () => (JSON.parse(it.store.kept.get("api.idempotency")!) as unknown[]).length;
  const kept = listed();
  await Promise.all(Array.from({ length: 6 }, (_, n) => make(randomUUID(), "web", asAdmin, n % 2 ? other.app : it.app)));
  expect(listed()).toBe(kept + 6);
  await other.app.close();
});

test("a refused request may be put right under the same key", async () => {
  const key = randomUUID();
  expect((await make(key, "../etc")).statusCode).toBe(400);
  expect((await make(key, "etc")).statusCode).toBe(201);
});

test("keys are the caller's own", async () => {
  const key = randomUUID();
  const first = await make(key);
  // a source may not make tokens, and does not get at the admin's answer
  expect((await make(key, "web", { authorization: `Bearer ${it.sourceToken}` })).statusCode).toBe(403);
  expect((await make(key)).json()).toEqual(first.json());
});

test("the store keeps a thousand at most, the newest", async () => {
  const until = it.clock.time + 3_600_000_000;
  const listed = Array.from({ length: 1_000 }, (_, i) => `k${i}`);
  for (const id of listed) await it.store.settings.set(`api.idempotency.${id}`, JSON.stringify({ print: "", until }));
  await it.store.settings.set("api.idempotency", JSON.stringify(listed.map((id) => [id, until])));
  await make("one");
  const kept = [...it.store.kept.keys()].filter((name) => name.startsWith("api.idempotency."));
  expect([kept.length, kept[0]]).toEqual([1_000, "api.idempotency.k1"]);
  it.clock.time = until;
  await make("two");
  expect([...it.store.kept.keys()].filter((name) => name.startsWith("api.idempotency."))).toHaveLength(2);
});

test("every POST that asks for a permission looks at its key before it does anything", async () => {
  const posts = it.app.demands.filter(({ method, permission }) => method === "POST" && permission !== undefined);
  expect(posts.length).toBeGreaterThan(30);
  const before = it.store.kept.size;
  for (const { url } of posts) {
    const answer = await it.app.inject({
      method: "POST",
      url: url.replace(/:\w+/g, "x"),
      headers: { ...asAdmin, "idempotency-key": "no key" },
      payload: {},
    });
    expect([url, answer.statusCode, answer.json()]).toMatchObject([
      url,
      400,
      { detail: expect.stringContaining("headers/idempotency-key") },
    ]);
  }
  expect(it.store.kept.size).toBe(before);
});
