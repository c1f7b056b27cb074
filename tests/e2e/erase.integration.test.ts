/** Erasure over the whole program: what goes, what a hold keeps, what is on record, and a kill in the middle. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { vedette as run } from "./cli.ts";
import { Vedette } from "./vedette.ts";

let server: Vedette;
const vedette = (...args: string[]) => run(args, { cwd: server.directory, env: { VEDETTE_DATA: server.data } });
const post = (path: string, body: unknown) =>
  server.fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
const users = async (name: string) => (await server.events<{ fields: { "url.path": string } }>(`user.name:${name}`)).length;
const erasures = async () =>
  (await server.get<{ erasures: { state: string; events: number; held: number }[] }>("/api/v1/erasures")).erasures;

/** Some minutes ago: what is still to come is not erased. */
const at = new Date(Date.now() - 300_000).toISOString();
const event = (name: string, path: string) => ({ "@timestamp": at, "event.dataset": "portal", "user.name": name, "url.path": path });

beforeAll(async () => {
  server = new Vedette();
  await server.start("--no-demo");
  const paths = Array.from({ length: 40 }, (_, n) => `/${n}`);
  const lines = ["mallory", "eve", "ann"].flatMap((name) => paths.map((path) => JSON.stringify(event(name, path))));
  const answer = await server.fetch("/ingest", {
    method: "POST",
    body: lines.join("\n"),
    headers: { "content-type": "application/x-ndjson" },
  });
  expect(answer.status).toBe(200);
  for (const name of ["mallory", "eve", "ann"])
    await server.until(
      () => users(name),
      (found) => found === 40,
    );
}, 300_000);
afterAll(() => server.remove());

test("without --yes it is told, with it done; a hold keeps its part; the trail tells of it without the name and is whole", async () => {
  const held = await post("/api/v1/holds", {
    q: "url.path:/7",
    from: "2020-01-01T00:00:00Z",
    to: new Date().toISOString(),
    reason: "case 1",
  });
  expect(held.status).toBe(201);
  const told = await vedette("erase", "user.name:mallory", "--reason", "request 4");
  expect([told.code, told.stdout]).toEqual([0, expect.stringContaining("39 events, what 0 alerts quote would go; add --yes.")]);
  expect([told.stdout, await users("mallory")]).toEqual([expect.stringContaining("1 events would stay, kept by h"), 40]);
  const done = await vedette("erase", "user.name:mallory", "--reason", "request 4", "--yes", "--json");
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject([{ state: "done", events: 39, held: 1 }]);
  expect([await users("mallory"), await users("eve"), await users("ann")]).toEqual([1, 40, 40]);
  const listed = await vedette("audit", "list", "--action", "erasure_*", "--json");
  expect(listed.stdout).toContain("request 4");
  expect(listed.stdout).not.toContain("mallory");
}, 300_000);

test("killed in the middle, it is finished by the next start", async () => {
  const body = { q: "user.name:eve", from: "2020-01-01T00:00:00Z", to: new Date().toISOString(), reason: "request 5" };
  expect((await post("/api/v1/erasures", body)).status).toBe(202);
  await server.kill();
  await server.start("--no-demo");
  const [one] = await server.until(erasures, ([newest]) => newest?.state !== "running");
  expect(one).toMatchObject({ state: "done" });
  expect([await users("eve"), await users("ann")]).toEqual([1, 40]);
  expect(await server.stop()).toBe(0);
  expect((await vedette("verify")).stdout).toMatch(/^Good: /);
}, 300_000);
