import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Principal, roles } from "@vedette/access";
import Fastify from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { guard, type RouteDemand } from "../guard.ts";
import { asking, roleNames, sharedToken, userWith } from "../testing/as.ts";
import { asAdmin, type Rig, rig } from "../testing/fakes.ts";

const document = join(import.meta.dirname, "../../../../docs/security/authorisation.md");
const [begin, end] = ["<!-- generated: the table -->\n", "<!-- end of the table -->"];

const machine: Principal = { kind: "machine", id: "node1", role: "agent" };
const source: Principal = { kind: "source", source: "web", token: "t" };
const askers: readonly (readonly [name: string, principal: Principal | undefined])[] = [
  ...roleNames.map((role) => [role, userWith({ role })] as const),
  ["shared token", sharedToken],
  ["source token", source],
  ["machine", machine],
  ["nobody", undefined],
];

/** What the table of roles says, written anew: the guard is held to it. */
function mayAsk(name: string, { access, permission }: RouteDemand): boolean {
  if (access === "open" || access === "enrol") return true;
  if (access === "machine") return name === "machine";
  const ofRole = (wanted: string): boolean => {
    if (name === "shared token") return !["actions:request", "actions:approve"].includes(wanted);
    return (roles as Readonly<Record<string, readonly string[]>>)[name]?.includes(wanted) ?? false;
  };
  // a request of a test comes from loopback
  if (access === "metrics") return true;
  if (access === "ingest") return name === "source token" || name === "machine" || ofRole("sources:write");
  if (permission === "own") return !["source token", "machine", "nobody"].includes(name);
  if (name === "machine") return permission === "machines:read";
  return ofRole(permission ?? "");
}

/** One that the handler refuses at once, so that a stream ends. */
const addressOf = (url: string) =>
  url
    .replace(/:\w+/g, "x")
    .replace(/\*$/, "x")
    .replace(/\/stream$/, "/stream?events=none");

describe("authorisation", () => {
  let it: Rig;
  beforeAll(async () => {
    it = await rig();
  });
  afterAll(() => it.app.close());

  test("every route, asked by each role, a shared token, a source's, a machine and nobody", async () => {
    expect(it.app.demands.length).toBeGreaterThan(60);
    for (const [name, principal] of askers) {
      const headers = principal === undefined ? {} : asking(it.auth, principal);
      for (const demand of it.app.demands) {
        const { statusCode } = await it.app.inject({ method: demand.method as "GET", url: addressOf(demand.url), headers });
        const what = `${name}: ${demand.method} ${demand.url}`;
        if (mayAsk(name, demand)) expect([what, [401, 403].includes(statusCode) && demand.access !== "open"]).toEqual([what, false]);
        else expect([what, statusCode]).toEqual([what, principal === undefined ? 401 : 403]);
      }
    }
  });

  test("a grant limited to rows opens confined routes only, and says why the others stay shut", async () => {
    const headers = asking(it.auth, userWith(...roleNames.map((role) => ({ role, rows: "site:a" }))));
    for (const demand of it.app.demands.filter(({ permission }) => permission !== undefined && permission !== "own")) {
      const answer = await it.app.inject({ method: demand.method as "GET", url: addressOf(demand.url), headers });
      const what = `${demand.method} ${demand.url}`;
      expect([what, answer.statusCode === 403]).toEqual([what, demand.confined !== true]);
      if (answer.statusCode === 403) expect(answer.json().detail).toContain("cannot be limited");
    }
  });

  test("a key does nothing beyond its scope, and changes nothing of its owner's", async () => {
    const headers = asking(it.auth, { ...userWith({ role: "admin" }), scope: ["alerts:read"] } as Principal);
    for (const demand of it.app.demands.filter(({ access = "" }) => !["open", "enrol", "metrics"].includes(access))) {
      const { statusCode } = await it.app.inject({ method: demand.method as "GET", url: addressOf(demand.url), headers });
      const what = `${demand.method} ${demand.url}`;
      const may = demand.permission === "alerts:read" || (demand.permission === "own" && demand.method === "GET");
      expect([what, statusCode === 403]).toEqual([what, !may]);
    }
  });

  test("a refusal says what is needed and who has it", async () => {
    const headers = asking(it.auth, userWith({ role: "viewer" }));
    const answer = await it.app.inject({ method: "POST", url: "/api/v1/rules/rollback", headers });
    expect(answer.json()).toMatchObject({
      code: "forbidden",
      detail: "rules:write is needed: viewer does not hold it; the roles engineer, admin would",
    });
  });

  test("a route that names neither a permission nor who may come without one keeps the server from starting", async () => {
    const { auth, runtime, store, clock } = it;
    const start = async (config: object) => {
      const app = Fastify();
      guard(app, { auth, runtime, store, clock } as never, undefined as never);
      app.get("/forgotten", { config }, async () => "");
      try {
        await app.ready();
      } finally {
        await app.close();
      }
    };
    await expect(start({})).rejects.toThrow("GET /forgotten: its config must name");
    await expect(start({ access: "open", permission: "own" })).rejects.toThrow("must name");
    await expect(start({ permission: "alerts:read" })).resolves.toBeUndefined();
  });

  test("the table of the documentation is what the routes demand", () => {
    const shown = it.app.demands.filter(
      ({ access, url }) => access !== "ingest" && (url.startsWith("/api/") || url.length > 1) && !/^\/(banner|fail)/.test(url),
    );
    const rows = shown.map((demand) => {
      const { access, permission, confined } = demand;
      const marks = askers.map(([name]) => (mayAsk(name, demand) ? "✓" : "·"));
      const needs = access ?? `${permission}${confined ? ", confined" : ""}`;
      return `| \`${demand.method} ${demand.url}\` | ${needs} | ${marks.join(" | ")} |`;
    });
    const head = ["route", "needs", ...askers.map(([name]) => name)];
    const table = [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...rows.sort(), ""].join("\n");
    const text = readFileSync(document, "utf8");
    const [before, after] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
    if (process.env["UPDATE_GOLDEN"] === "1") {
      mkdirSync(dirname(document), { recursive: true });
      writeFileSync(document, text.slice(0, before) + table + text.slice(after));
    } else expect(table, "docs/security/authorisation.md; if the change is meant: UPDATE_GOLDEN=1").toBe(text.slice(before, after));
  });

  test("the admin token still does what it did", async () => {
    expect((await it.app.inject({ url: "/api/v1/rules", headers: asAdmin })).statusCode).toBe(200);
  });
});
