import { afterEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "../testing/fakes.ts";

let r: Rig;
afterEach(() => r.app.close());
const post = (url: string, payload: object) => r.app.inject({ method: "POST", url: `/api/v1${url}`, headers: asAdmin, payload });
const get = (url: string) => r.app.inject({ url: `/api/v1${url}`, headers: asAdmin });
const put = (url: string, payload: string, type: string) =>
  r.app.inject({ method: "PUT", url: `/api/v1${url}`, headers: { ...asAdmin, "content-type": type }, payload });

test("inventories are put as CSV or JSON, listed with their version, and taken away", async () => {
  r = await rig();
  expect((await get("/enrichers")).json()).toMatchObject({
    enrichers: [{ name: "assets", state: "running", table: { rows: 1, at: expect.stringMatching(/Z$/) } }],
  });
  const csv = "host,owner\na,b\n";
  expect((await put("/inventory/assets?reason=quarterly", csv, "text/csv")).json()).toMatchObject({
    bytes: csv.length,
    by: "admin: quarterly",
  });
  expect((await put("/inventory/assets", JSON.stringify([{ host: "a" }]), "application/json")).statusCode).toBe(200);
  expect((await put("/inventory/assets", "nothing", "text/csv")).json()).toMatchObject({ status: 400, code: "bad_table" });
  expect((await put("/inventory/planets", csv, "text/csv")).statusCode).toBe(404);
  expect((await put("/inventory/assets", `host\n${"x".repeat(100_000)}\n`, "text/csv")).statusCode).toBe(200);
  const gone = (name: string) => r.app.inject({ method: "DELETE", url: `/api/v1/inventory/${name}`, headers: asAdmin });
  expect([(await gone("assets")).statusCode, (await gone("planets")).statusCode]).toEqual([204, 404]);
  expect((await post("/enrichers/reload", { reason: "new file" })).json()).toEqual({ changed: ["geoip"] });
});

test("pipelines are listed with what they left out, previewed, and reloaded unless rules lose their data", async () => {
  r = await rig();
  expect((await get("/pipelines")).json()).toMatchObject({ pipelines: [{ name: "p", steps: [{ dropped: 4 }] }], losses: [{ id: "r1" }] });
  const found = await post("/pipelines/preview", { files: [{ file: "x.yml", text: "bad" }] });
  expect(found.json()).toMatchObject({
    events: 10,
    from: expect.stringMatching(/Z$/),
    refused: ["x.yml:1:1: no"],
    examples: [{ id: "e" }],
  });
  expect((await post("/pipelines/preview", { files: [] })).statusCode).toBe(400);
  expect((await post("/pipelines/reload", { reason: "noise" })).json()).toMatchObject({
    blocked: ["1 rule loses its data"],
    changed: false,
  });
  expect((await post("/pipelines/reload", { reason: "noise", yes: true })).json()).toMatchObject({ blocked: [], changed: true });
  expect((await post("/pipelines/reload", {})).statusCode).toBe(400);
});

test("a pseudonym is revealed to an administrator who says why, and to nobody else", async () => {
  r = await rig();
  expect((await post("/reveal", { pseudonym: "pn_ada", reason: "case 7" })).json()).toEqual({ text: "ada, for admin: case 7" });
  expect((await post("/reveal", { pseudonym: "pn_ada", reason: " " })).statusCode).toBe(400);
  expect((await post("/reveal", { pseudonym: "pn_other", reason: "case 7" })).statusCode).toBe(404);
  const stranger = await r.app.inject({ method: "POST", url: "/api/v1/reveal", payload: { pseudonym: "pn_ada", reason: "x" } });
  expect(stranger.statusCode).toBe(401);
});
