import { defineEndpoint, RateLimit, z } from "@vedette/kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asAdmin, type Rig, rig } from "../testing/fakes.ts";

const lines = defineEndpoint({
  name: "lines",
  summary: "Takes one record a line.",
  stability: "beta",
  config: z.strictObject({}),
  routes: [{ method: "POST", path: "/lines" }],
  examples: [],
  async handle({ body }, _config, context) {
    let text = "";
    for await (const piece of body) text += Buffer.from(piece).toString();
    for (const part of text.split("\n\n")) {
      await context.intake("lines").accept(part.split("\n").map((line, i) => ({ position: String(i), body: Buffer.from(line) })));
    }
    return { status: 200 };
  },
});

let it: Rig;
beforeEach(async () => {
  it = await rig({ endpoints: new Map([["lines", { spec: lines, config: {} }]]) });
});
afterEach(() => it.app.close());

const token = async (quota: object): Promise<string> => {
  const made = await it.app.inject({
    method: "POST",
    url: "/api/v1/source-tokens",
    headers: asAdmin,
    payload: { source: "nodes", ...quota },
  });
  expect([made.statusCode, made.json()]).toMatchObject([201, quota]);
  return made.json().token;
};
const send = async (authorization: string, payload: string) => {
  const { statusCode, headers, body } = await it.app.inject({
    method: "POST",
    url: "/lines",
    headers: { authorization: `Bearer ${authorization}` },
    payload,
  });
  return [statusCode, headers["retry-after"], body === "" ? "" : (JSON.parse(body) as { detail: string }).detail] as const;
};
const eight = Array.from({ length: 8 }, () => "x".repeat(10)).join("\n");

test("events: ten seconds' worth at once, then the sender waits, and others do not", async () => {
  const [limited, other] = [await token({ events_per_second: 1 }), await token({ events_per_second: 1 })];
  expect(await send(limited, eight)).toEqual([200, undefined, ""]);
  expect(await send(limited, eight)).toEqual([429, "1", "the token's quota of 1 events a second is used up; try again"]);
  expect((await send(other, eight))[0]).toBe(200);
  await it.clock.pass(6_000);
  expect((await send(limited, eight))[0]).toBe(200);
});

test("bytes, and a batch that is more than ten seconds' worth: it goes through when nothing is owed", async () => {
  const limited = await token({ bytes_per_second: 4 });
  expect((await send(limited, eight))[0]).toBe(200);
  expect(await send(limited, "x")).toEqual([429, "1", "the token's quota of 4 bytes a second is used up; try again"]);
  await it.clock.pass(20_000);
  expect((await send(limited, "x"))[0]).toBe(200);
});

test("a request that was begun is not cut off", async () => {
  const limited = await token({ events_per_second: 1 });
  expect((await send(limited, `${eight}\n\n${eight}\n\n${eight}`))[0]).toBe(200);
  await it.clock.pass(14_000);
  expect((await send(limited, "x"))[0]).toBe(429);
  await it.clock.pass(2_000);
  expect((await send(limited, "x"))[0]).toBe(200);
});

test("a refusal counts nothing", () => {
  const limit = new RateLimit(60, 10);
  expect(limit.take("a", 0, 10)).toBe(0);
  for (let i = 0; i < 100; i++) expect(limit.take("a", 0, 4)).toBe(4_000_000);
  expect(limit.take("a", 4_000_000, 4)).toBe(0);
});
