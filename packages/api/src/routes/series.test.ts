import { afterEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "../testing/fakes.ts";

let r: Rig;
afterEach(() => r.app.close());
const get = (url: string) => r.app.inject({ url: `/api/v1${url}`, headers: asAdmin });

test("series by filter, and what they came to by function and step", async () => {
  r = await rig();
  const up = { source: "prom", name: "up", kind: "gauge", labels: { instance: "a" } };
  expect((await get("/metrics/series?q=metric.name:up")).json()).toEqual({ series: [up], more: false });
  const range = "from=2026-11-20T00:00:00Z&to=2026-11-20T01:00:00Z";
  const ask = async (more: string) => (await get(`/metrics/query?q=metric.name:up&${range}${more}`)).json();
  expect(await ask("&step_s=60")).toEqual({
    step_s: 60,
    function: "avg",
    series: [{ ...up, points: [["2026-11-20T00:00:00.000000Z", 1.5]] }],
    more: false,
  });
  const values = await Promise.all(
    ["min", "max", "sum", "count", "last", "increase", "rate"].map(
      async (name) => (await ask(`&step_s=60&function=${name}`)).series[0].points[0][1],
    ),
  );
  expect(values).toEqual([1, 2, 3, 2, 2, 30, 0.5]);
  // an hour in at most 250 steps of a usual width
  expect((await ask("")).step_s).toBe(30);
});

test("what cannot be answered is refused by name", async () => {
  r = await rig();
  for (const [query, word] of [
    ["q=metric.name:", "q"],
    ["q=metric.name:up | head 3", "pipes"],
    ["function=median", "function"],
    ["step_s=15", "step_s"],
    ["step_s=10&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "11000"],
    ["from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"],
  ] as const) {
    const answer = await get(`/metrics/query?${query.replaceAll(" ", "%20")}`);
    expect([query, answer.statusCode]).toEqual([query, 400]);
    expect(answer.json().detail).toContain(word);
  }
});

test("a source's series and what became of its samples", async () => {
  r = await rig();
  expect((await get("/metrics/sources")).json().sources).toEqual([
    { source: "prom", kept: 7, repeated: 1, refused: 1, refused_beside: 0, refused_series: ["late{}"], series: 1, limit: 1 },
  ]);
});
