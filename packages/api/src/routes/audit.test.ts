import type { AuditRecord } from "@vedette/audit";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asAdmin, type Rig, rig, start } from "../testing/fakes.ts";

let it: Rig;
const all: AuditRecord[] = [];
const users = ["ann", "bob", "cyd"];
const actions = ["login", "rule_decided", "rules_applied"];
function append(n: number): void {
  const fields = { "user.name": users[n % 3]!, "event.action": actions[n % 2]!, "event.outcome": n % 5 ? "success" : "failure" };
  const erased = { by: "dpo", reason: "asked", time: start };
  all.push({ n, time: start + n * 1_000_000, hash: `h${n}`, ...(n % 7 === 3 ? { erased } : { fields }) });
}

beforeAll(async () => {
  const audit = {
    record: async () => ({}),
    head: async () => ({}),
    newest: async (limit: number, before = all.length) => all.slice(Math.max(0, before - limit), before).reverse(),
    since: async (from: number, limit: number) => all.slice(from, from + limit),
  };
  it = await rig({ audit: audit as never });
});
afterAll(() => it.app.close());

interface Page {
  readonly records: readonly { readonly n: number }[];
  readonly cursor?: string;
  readonly newer: string;
}
async function page(query: { readonly [name: string]: string | number | undefined }): Promise<Page> {
  const asked = Object.entries(query).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]]));
  const answer = await it.app.inject({ url: `/api/v1/audit?${new URLSearchParams(asked)}`, headers: asAdmin });
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

const filter = fc.record(
  {
    user: fc.constantFrom(...users, "nobody"),
    action: fc.constantFrom(...actions, "rule*"),
    outcome: fc.constantFrom("success", "failure"),
    from: fc.constantFrom(new Date((start + 20_000_000) / 1_000).toISOString()),
    to: fc.constantFrom(new Date((start + 900_000_000) / 1_000).toISOString()),
  },
  { requiredKeys: [] },
);
const fits = ({ n, time, fields }: AuditRecord, by: typeof filter extends fc.Arbitrary<infer T> ? T : never): boolean =>
  (by.user === undefined || fields?.["user.name"] === by.user) &&
  (by.action === undefined || String(fields?.["event.action"] ?? "").startsWith(by.action.replace("*", ""))) &&
  (by.outcome === undefined || fields?.["event.outcome"] === by.outcome) &&
  (by.from === undefined || time >= start + 20_000_000) &&
  (by.to === undefined || time < start + 900_000_000) &&
  n >= 0;

test("pages to what is older, and later to what is newer, have every record that fits once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(filter, fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 700 }), async (by, limit, more) => {
      all.length = 0;
      for (let n = 0; n < 1_200; n++) append(n);
      const seen: number[] = [];
      const first = await page({ ...by, limit });
      for (
        let at: Page | undefined = first;
        at !== undefined;
        at = at.cursor === undefined ? undefined : await page({ ...by, limit, cursor: at.cursor })
      )
        seen.push(...at.records.map(({ n }) => n));
      expect(seen).toEqual(
        all
          .filter((one) => fits(one, by))
          .map(({ n }) => n)
          .reverse(),
      );
      for (let n = 1_200; n < 1_200 + more; n++) append(n);
      const since: number[] = [];
      let { newer } = first;
      for (let quiet = false; !quiet; ) {
        const at = await page({ ...by, limit, cursor: newer });
        quiet = at.newer === newer;
        newer = at.newer;
        since.push(...at.records.map(({ n }) => n).reverse());
      }
      expect(since).toEqual(
        all
          .slice(1_200)
          .filter((one) => fits(one, by))
          .map(({ n }) => n),
      );
    }),
    { numRuns: 25 },
  );
});

test("a cursor of another list, and a filter that is none, are refused", async () => {
  for (const query of ["cursor=x", `cursor=${Buffer.from("older x").toString("base64url")}`, "outcome=maybe", "action=a b", "before=2"])
    expect((await it.app.inject({ url: `/api/v1/audit?${query}`, headers: asAdmin })).statusCode, query).toBe(400);
});
