import { type Clock, tokenHash } from "@vedette/kit";
import { expect, test } from "vitest";
import { Keys } from "./keys.ts";
import { memoryKeys } from "./memory.ts";
import { grantsFor, permissionsOf } from "./policy.ts";
import { admin, type Grant, type Principal } from "./principal.ts";

const hour = 3_600_000_000;

async function rig(grants: readonly Grant[] = [{ role: "analyst" }]) {
  const state = {
    time: 1_795_000_000_000_000,
    owner: { kind: "user", id: "u1", name: "ann", grants, by: "session", session: "s" } as Principal | undefined,
  };
  const clock: Clock = { now: () => state.time, sleep: async () => undefined };
  const store = memoryKeys();
  const ownerOf = (id: string) =>
    (id === "u1" ? state.owner : id === "" ? { kind: "shared", name: "admin", grants: admin } : undefined) as never;
  const open = () => Keys.open(store, clock, ownerOf);
  return { state, store, open, keys: await open() };
}
const scope = ["alerts:read", "alerts:write"] as const;

test("a key is shown once, kept as a hash, listed without its secret, and good after a restart", async () => {
  const { keys, store, open, state } = await rig();
  const { token, ...made } = await keys.create("u1", { name: "ticket system", scope });
  expect(token).toMatch(/^vdk_[\w-]{43}$/);
  expect(made).toMatchObject({ owner: "u1", name: "ticket system", scope, expires: state.time + 90 * 24 * hour });
  const rows = JSON.stringify(await store.load(0));
  expect(rows).not.toContain(token.slice(4));
  expect(rows).toContain(tokenHash(token));
  expect(keys.list("u1")).toEqual([made]);
  expect(keys.list("")).toEqual([]);
  for (const some of [keys, await open()])
    expect(some.ofHash(tokenHash(token))).toEqual({
      kind: "user",
      id: "u1",
      name: "ann",
      grants: [{ role: "analyst" }],
      by: "key",
      scope,
      key: made.id,
    });
  expect(keys.ofHash(tokenHash(`${token}x`))).toBeUndefined();
});

test("a key does what its owner may now, and nothing once the owner is gone, it has expired or was revoked", async () => {
  const { keys, state, open } = await rig();
  const { token, id } = await keys.create("u1", { name: "k", scope, days: 1 });
  const hash = tokenHash(token);
  expect(permissionsOf(keys.ofHash(hash)!)).toEqual(scope);
  state.owner = { ...state.owner, grants: [{ role: "viewer", rows: "site:a" }] } as Principal;
  expect(permissionsOf(keys.ofHash(hash)!)).toEqual(["alerts:read"]);
  expect(grantsFor(keys.ofHash(hash)!, "alerts:read")).toEqual([{ role: "viewer", rows: "site:a" }]);
  const before = state.owner;
  state.owner = undefined;
  expect(keys.ofHash(hash)).toBeUndefined();
  state.owner = before;
  state.time += 24 * hour - 1;
  expect(keys.ofHash(hash)).toBeDefined();
  state.time += 1;
  expect(keys.ofHash(hash)).toBeUndefined();
  expect((await open()).list("u1")).toEqual([]);
  state.time -= hour;
  expect(await keys.revoke("", id)).toBe(false);
  expect(await keys.revoke("u1", id)).toBe(true);
  expect(keys.ofHash(hash)).toBeUndefined();
  expect((await open()).ofHash(hash)).toBeUndefined();
});

test("nobody makes a key for more than he may; the shared token's can neither request nor approve an action", async () => {
  const { keys } = await rig();
  await expect(keys.create("u1", { name: "k", scope: ["alerts:read", "users:write"] })).rejects.toThrow("not users:write");
  await expect(keys.create("u2", { name: "k", scope: ["alerts:read"] })).rejects.toThrow("not alerts:read");
  await expect(keys.create("", { name: "k", scope: ["actions:approve"] })).rejects.toThrow("not actions:approve");
  const { token } = await keys.create("", { name: "k", scope: ["users:write"] });
  expect(keys.ofHash(tokenHash(token))).toMatchObject({ kind: "shared", scope: ["users:write"] });
  for (const [given, what] of [
    [{ name: " ", scope }, "name"],
    [{ name: "k", scope: [] }, "scope"],
    [{ name: "k", scope: ["alerts:raed"] }, "no permission alerts:raed"],
    [{ name: "k", scope, days: 0 }, "days"],
    [{ name: "k", scope, days: 9_999 }, "days"],
  ] as const)
    await expect(keys.create("u1", given as never)).rejects.toThrow(what);
});

test("when a key was last used is kept to the hour and written once in it", async () => {
  const { keys, store, state } = await rig();
  const { token } = await keys.create("u1", { name: "k", scope });
  let writes = 0;
  const save = store.save;
  store.save = (change) => {
    writes++;
    return save(change);
  };
  for (let n = 0; n < 50; n++) keys.ofHash(tokenHash(token));
  state.time += hour;
  keys.ofHash(tokenHash(token));
  // after what was noted before
  await keys.create("u1", { name: "other", scope });
  expect(writes).toBe(3);
  expect(keys.list("u1").find((one) => one.name === "k")!.used! % hour).toBe(0);
});

test("keys that were made before their owner's password was changed are nobody's, and not listed", async () => {
  const { state, store } = await rig();
  let since = 0;
  const clock: Clock = { now: () => state.time, sleep: async () => undefined };
  const keys = await Keys.open(
    store,
    clock,
    () => state.owner as never,
    (owner) => (owner === "u1" ? since : 0),
  );
  const before = await keys.create("u1", { name: "before", scope });
  expect(keys.ofHash(tokenHash(before.token))).toBeDefined();
  since = state.time += 1;
  const after = await keys.create("u1", { name: "after", scope });
  expect(keys.ofHash(tokenHash(before.token))).toBeUndefined();
  expect(keys.ofHash(tokenHash(after.token))).toBeDefined();
  expect(keys.list("u1").map(({ name }) => name)).toEqual(["after"]);
});
