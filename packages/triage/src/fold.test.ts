import type { Alert, Finding } from "@vedette/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { foldFinding, groupOf } from "./fold.ts";

const finding = (over: Partial<Finding> = {}): Finding => ({
  id: "f1",
  tenant: "main",
  rule: { id: "r", title: "Rule", hash: "h", kind: "sigma" },
  severity: "medium",
  key: "k",
  window: { start: 100, end: 100 },
  time: 100,
  events: ["e1"],
  count: 1,
  entities: [{ type: "host.name", id: "web1" }],
  evidence: [{ id: "e1", time: 100, source: "s", seq: 0, matches: [], fields: {}, original: "" }],
  attack: ["T1110"],
  summary: "once",
  revision: 0,
  canonical: true,
  demo: false,
  received: 100,
  ...over,
});

const foldAll = (findings: readonly Finding[]): Alert => {
  let alert: Alert | undefined;
  const seen = new Map<string, { revision: number; events: number }>();
  for (const [i, f] of findings.entries()) {
    alert = foldFinding(alert, f, seen.get(f.id), 1_000 + i);
    const before = seen.get(f.id);
    if (!before || before.revision < f.revision) seen.set(f.id, { revision: f.revision, events: f.count });
  }
  return alert!;
};

test("findings group by tenant, rule and first entity; demo apart", () => {
  expect(groupOf(finding())).toBe(groupOf(finding({ id: "f2", severity: "high", key: "other" })));
  for (const other of [
    finding({ tenant: "b" }),
    finding({ demo: true }),
    finding({ entities: [{ type: "host.name", id: "web2" }] }),
    finding({ rule: { id: "r2", title: "", hash: "", kind: "sigma" } }),
  ])
    expect(groupOf(other)).not.toBe(groupOf(finding()));
});

test("findings about a batch job group by the job, wherever it stands among the entities, and by the cluster whose job it is", () => {
  const job = (id: string, cluster: string, ...before: string[]) =>
    groupOf(
      finding({
        entities: [
          ...before.map((one) => ({ type: "host.name", id: one })),
          { type: "hpc.job.id", id },
          { type: "hpc.cluster", id: cluster },
        ],
      }),
    );
  expect(job("4711", "a", "cn1")).toBe(job("4711", "a", "cn2"));
  expect(job("4711", "a")).not.toBe(job("4712", "a"));
  expect(job("4711", "a")).not.toBe(job("4711", "b"));
});

test("a second finding is counted; the severity never falls and its rise is in the history", () => {
  const alert = foldAll([
    finding(),
    finding({ id: "f2", severity: "critical", window: { start: 50, end: 300 }, events: ["e2"] }),
    finding({ id: "f3", severity: "low", events: ["e3"] }),
  ]);
  expect(alert).toMatchObject({ severity: "critical", count: 3, events: 3, first_seen: 50, last_seen: 300, state: "open" });
  expect(alert.history.map((h) => h.what)).toEqual(["opened", "escalated"]);
});

test("an amended finding adds only what it adds; a repeat adds nothing", () => {
  const grown = finding({ revision: 1, count: 4, events: ["e1", "e2", "e3", "e4"] });
  expect(foldAll([finding(), grown])).toMatchObject({ count: 1, events: 4 });
  expect(foldAll([finding(), grown, grown, finding()])).toEqual(foldAll([finding(), grown]));
});

test("a superseding finding is the same finding moved, not another", () => {
  expect(foldAll([finding(), finding({ id: "f9", supersedes: "f1" })]).count).toBe(1);
});

test("evidence is bounded and keeps the first and the newest", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), (n) => {
      const alert = foldAll(
        Array.from({ length: n }, (_, i) => finding({ id: `f${i}`, evidence: [{ ...finding().evidence[0]!, id: `e${i}` }] })),
      );
      expect(alert.evidence.length).toBeLessThanOrEqual(20);
      expect(alert.evidence[0]!.id).toBe("e0");
      expect(alert.evidence.at(-1)!.id).toBe(`e${n - 1}`);
      expect(alert.count).toBe(n);
    }),
  );
});

test("a finding that an event proved wrong is taken back, and the last one closes its alert", () => {
  const two = foldAll([finding(), finding({ id: "f2", count: 4 })]);
  const wrong = (id: string, count: number) => finding({ id, count, revision: 1, withdrawn: true });
  const one = foldFinding(two, wrong("f2", 4), { revision: 0, events: 4 }, 2_000);
  expect(one).toMatchObject({ count: 1, events: 1, state: "open" });
  const none = foldFinding(one, wrong("f1", 1), { revision: 0, events: 1 }, 3_000);
  expect(none).toMatchObject({ count: 0, events: 0, state: "closed", retracted: 3_000 });
  expect(none.history.at(-1)).toMatchObject({ what: "retracted", note: expect.stringContaining("once") });
});

test("a finding made of late events marks its alert", () => {
  expect(foldAll([finding()]).late).toBeUndefined();
  expect(foldAll([finding({ late: true })]).late).toBe(true);
  expect(foldAll([finding(), finding({ revision: 1, late: true })]).late).toBe(true);
});
