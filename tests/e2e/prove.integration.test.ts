/** Rules proved able to fire: in a running server, where nobody sees a thing, and in an engine made for it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { vedette } from "./cli.ts";
import { settledLedger, Vedette } from "./vedette.ts";

const v = new Vedette();
beforeAll(() => v.start("--no-demo"), 300_000);
afterAll(() => v.remove());

interface Line {
  readonly id: string;
  readonly state: string;
  readonly how?: string;
}

test("canaries of a running server are proved, and seen only by who asks for them", async () => {
  const { rules } = await v.get<{ rules: readonly Line[] }>("/api/v1/canaries");
  expect(rules.length).toBeGreaterThan(100);
  const ids = rules.slice(0, 3).map(({ id }) => id);
  const proved = await vedette(["rule", "prove", ...ids, "--data-dir", v.data, "--json"], { cwd: v.directory });
  expect(proved.code, proved.stderr).toBe(0);
  expect((JSON.parse(proved.stdout) as Line[]).map(({ state, how }) => [state, how])).toEqual(ids.map(() => ["proved", "wire"]));
  expect((await v.get<{ total: number }>("/api/v1/alerts")).total).toBe(0);
  // that canaries were asked for is recorded; nothing else has come in
  const others = (await settledLedger(v)).filter(({ name }) => name !== "vedette.audit");
  expect(others).toEqual([]);
  interface Counted {
    readonly id: string;
    readonly seen: number;
    readonly matched: number;
  }
  const counted = (await v.get<{ rules: readonly Counted[] }>("/api/v1/rules")).rules.filter(({ id }) => ids.includes(id));
  expect(counted.map(({ seen, matched }) => [seen, matched])).toEqual(ids.map(() => [0, 0]));
  // stored a moment later, and apart
  const canaries = await v.until(
    () => v.events<{ readonly fields: { readonly [name: string]: unknown } }>("vedette.canary:*"),
    (events) => new Set(events.map(({ fields }) => fields["vedette.canary"])).size === 3,
  );
  expect(new Set(canaries.map(({ fields }) => fields["vedette.canary"]))).toEqual(new Set(ids));
  expect(await v.events("not event.dataset:vedette.audit")).toEqual([]);
  const metrics = await (await v.fetch("/metrics")).text();
  expect(metrics).toMatch(/^vedette_canary_rules\{state="proved"\} 3$/m);
}, 300_000);

test("a rule that is not in force cannot be asked for", async () => {
  const { code, stderr } = await vedette(["rule", "prove", "nobody", "--data-dir", v.data], { cwd: v.directory });
  expect([code, stderr]).toEqual([2, expect.stringContaining("no rule in force has the id nobody")]);
}, 60_000);
