import { afterEach, beforeEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "./testing/fakes.ts";
import { isProblem, requestsTo } from "./testing/requests.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());
const { get, post } = requestsTo(() => it);

const send = (url: string, payload: Buffer | string, headers: { [name: string]: string }) =>
  it.app.inject({ method: "POST", url, payload, headers: { ...asAdmin, ...headers } });

test("bodies arrive as they are, whatever they claim to be", async () => {
  for (const type of ["application/json", "application/x-ndjson", "text/plain", "nonsense", "application/x-protobuf"]) {
    const response = await send("/ingest", Buffer.from([0, 255, 123]), { "content-type": type });
    expect(response.json()).toEqual({ type, token: null, size: 3 });
  }
  expect((await send("/logs-2026/_bulk", "x".repeat(200_000), { "content-type": "application/json" })).json()).toMatchObject({
    size: 200_000,
  });
  expect((await post("/ingest")).json()).toMatchObject({ size: 0 });
});

test("a source's token decides the source", async () => {
  await send("/ingest", "a", {});
  await send("/ingest", "b", { authorization: `Bearer ${it.sourceToken}` });
  expect(it.accepted.map(({ source }) => source)).toEqual(["asked", "web"]);
});

test("trouble becomes back-pressure", async () => {
  const busy = await send("/fail/busy", "", {});
  isProblem(busy, 429, "backpressure");
  expect(busy.headers["retry-after"]).toBe("1");
  isProblem(await send("/fail/full", "", {}), 503, "log_full");
  expect(it.errors).toHaveLength(1);
  const bug = await send("/fail/bug", "", {});
  expect(bug.statusCode).toBe(500);
  expect(bug.body).not.toContain("secret");
  expect(it.errors).toHaveLength(2);
});

test("open routes and the banner", async () => {
  expect((await get("/banner", {})).body).toBe("banner");
  const root = await get("/", {});
  expect([root.body, root.headers["x-elastic-product"]]).toEqual(["banner", "Elasticsearch"]);
});
