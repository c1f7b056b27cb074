import type { Finding } from "@vedette/model";
import { parseRules } from "@vedette/sigma";
import { afterEach, describe, expect, test } from "vitest";
import type { FindingsBatch } from "../triage_runner.ts";
import { costOf, heldBack } from "./gate.ts";
import { deskRig, eventOf, idOfRule, ruleText, start } from "./rig.test.data.ts";

const me = { by: "ann", reason: "because" };
const release = (...texts: readonly string[]) => ({
  pack: "mine",
  origin: "a folder",
  rules: texts.map((text, n) => ({ file: `r${n}.yml`, text })),
});

let rig: Awaited<ReturnType<typeof deskRig>>;
afterEach(() => rig.remove());

async function opened(more: Parameters<typeof deskRig>[0] = {}, ...disk: readonly string[]) {
  rig = await deskRig(more);
  rig.disk.push(...disk.map((text, n) => ({ file: `disk${n}.yml`, text })));
  return rig.open();
}
type Desk = Awaited<ReturnType<typeof opened>>["desk"];
async function applied(desk: Desk, texts: readonly string[], state: "enabled" | "shadow" = "enabled", consent = {}) {
  const { release: kept } = await desk.keep(release(...texts));
  return desk.apply({ kind: "apply", release: kept.hash, state, owner: "team-a", review: "2027-01-01" }, me, consent);
}
const states = (desk: Desk) => Object.fromEntries(desk.lines().rules.map(({ title, state }) => [title, state]));

describe("states", () => {
  test("what the configuration names is on; a pack is in the state it was applied in; a decision goes before both and survives a restart", async () => {
    const { desk } = await opened({}, ruleText(1, "root"));
    expect((await applied(desk, [ruleText(2, "bob"), ruleText(3, "eve")], "shadow")).blocked).toEqual([]);
    expect(states(desk)).toEqual({ "Rule 1": "enabled", "Rule 2": "shadow", "Rule 3": "shadow" });
    await desk.decide(idOfRule(3), "enabled", { ...me, owner: "team-b" });
    await desk.decide(idOfRule(1), "quarantined", { by: "bob", reason: "too loud" });
    const again = await rig.open();
    expect(states(again.desk)).toEqual({ "Rule 1": "quarantined", "Rule 2": "shadow", "Rule 3": "enabled" });
    expect(again.desk.rule(idOfRule(2)).decision).toMatchObject({ by: "ann", owner: "team-a", review: "2027-01-01", changed: false });
    expect(again.desk.rule(idOfRule(3)).history).toMatchObject([
      { state: "enabled", what: "state", owner: "team-b" },
      { state: "shadow", what: "apply", owner: "team-a" },
    ]);
    expect(again.desk.rule(idOfRule(1))).toMatchObject({ state: "quarantined", reason: "too loud", decision: { by: "bob" } });
  });

  test("an edited copy on disk stands in for the pack's rule, also after the pack is replaced, and the original comes back with its removal", async () => {
    const { desk } = await opened();
    await applied(desk, [ruleText(1, "root")]);
    rig.disk.push({ file: "mine.yml", text: ruleText(1, "toor") });
    expect((await desk.apply({ kind: "reload" }, me)).blocked).toEqual([]);
    const file = () => desk.lines().rules.map((one) => one.file);
    expect(file()).toEqual(["mine.yml:1"]);
    const next = await applied(desk, [ruleText(1, "root", "level: low\n")]);
    expect(next.plan.notes).toEqual([expect.stringMatching(/^mine\/r0\.yml:1: not used, mine\.yml:1 has its id/)]);
    expect(file()).toEqual(["mine.yml:1"]);
    rig.disk.pop();
    await desk.apply({ kind: "reload" }, me);
    expect(desk.lines().rules).toMatchObject([{ file: "mine/r0.yml:1", level: "low" }]);
  });

  test("a correlation is decided on, compared and listed like any rule, and says when a rule that it takes is quarantined", async () => {
    const { desk } = await opened();
    const series = (least: number) =>
      `title: Series\nid: series\nlevel: high\ncorrelation:\n  type: event_count\n  rules: [${idOfRule(1)}]\n  group-by: [host.name]\n  timespan: 5m\n  condition: { gte: ${least} }\n`;
    await applied(desk, [ruleText(1, "root"), series(2)]);
    expect(states(desk)).toEqual({ "Rule 1": "enabled", Series: "enabled" });
    const { plan } = await applied(desk, [ruleText(1, "root"), series(3)]);
    expect(plan.differences).toMatchObject([
      {
        title: "Series",
        what: "changed",
        details: [expect.stringMatching(/^correlation: event_count of .* by host\.name within 300 s .*2 → .*3$/)],
      },
    ]);
    await desk.decide("series", "shadow", me);
    expect(states(desk)).toEqual({ "Rule 1": "enabled", Series: "shadow" });
    await desk.decide(idOfRule(1), "quarantined", me);
    expect(desk.rule("series").reason).toBe("not judged: it takes Rule 1, which is quarantined");
  });

  test("rules on fields that no event is known to carry say so, whatever their state; what was looked at once is not again", async () => {
    const { desk } = await opened({ unknown: ["user.nmae"] }, ruleText(1, "root"), ruleText(2, "bob").replace("user.name:", "user.nmae:"));
    const blind = () => desk.lines().rules.map(({ title, unknown_fields }) => [title, unknown_fields]);
    const expected = [
      ["Rule 1", undefined],
      ["Rule 2", ["user.nmae"]],
    ];
    expect(blind()).toEqual(expected);
    await desk.decide(idOfRule(2), "shadow", me);
    expect(blind()).toEqual(expected);
    expect(rig.looked).toEqual([idOfRule(1), idOfRule(2)]);
    expect(desk.rule(idOfRule(2)).unknown_fields).toEqual(["user.nmae"]);
  });

  test("what its alerts' readers are told: a rule's own words, a detector's, and nothing of what is there no longer", async () => {
    const words =
      "description: Says why.\nstatus: test\nfalsepositives: [Backups]\nvedette: { response: [Look first., { no: text }, Then act.] }\n";
    const { desk } = await opened({}, ruleText(1, "root", `level: high\n${words}`));
    const response = ["Look first.", "Then act."];
    expect(await desk.guidance(idOfRule(1))).toEqual({
      description: "Says why.",
      status: "test",
      response,
      falsepositives: ["Backups"],
      references: [],
    });
    expect(desk.rule(idOfRule(1)).response).toEqual(response);
    expect((await desk.guidance("brute_force")).response[0]).toMatch(/^Did one of the guesses get in\?/);
    expect(await desk.guidance("gone")).toEqual({ description: "", status: "", response: [], falsepositives: [], references: [] });
  });

  test("ids that are words of the language are ids like any other", async () => {
    const { desk } = await opened(
      {},
      ruleText(1, "root").replace(idOfRule(1), "constructor"),
      ruleText(2, "bob").replace(idOfRule(2), "__proto__"),
    );
    expect(states(desk)).toEqual({ "Rule 1": "enabled", "Rule 2": "enabled" });
    await desk.decide("constructor", "shadow", me);
    expect(states((await rig.open()).desk)).toEqual({ "Rule 1": "shadow", "Rule 2": "enabled" });
  });
});

describe("what stands in the way", () => {
  test("a refused rule leaves the old set on and is named with file and line; the rest goes on when told so", async () => {
    const { desk } = await opened();
    await applied(desk, [ruleText(1, "root")]);
    const bad = ruleText(3, "x").replace("user.name:", "user.name|sounds_like:");
    const held = await applied(desk, [ruleText(2, "bob"), bad], "enabled", { yes: true });
    expect(held.blocked).toEqual([expect.stringMatching(/^1 rules are refused/)]);
    expect(held.plan.refused).toEqual([expect.stringMatching(/^mine\/r1\.yml:7:\d+: Rule 3: .*sounds_like/)]);
    expect(states(desk)).toEqual({ "Rule 1": "enabled" });
    const rest = await applied(desk, [ruleText(2, "bob"), bad], "enabled", { yes: true, without_refused: true });
    expect(rest.blocked).toEqual([]);
    expect(states(desk)).toEqual({ "Rule 2": "enabled", "Rule 3": "refused" });
  });

  test("a rule that matches everything is held back with its alerts a day, in shadow it is not, and force puts it in", async () => {
    const stored = Array.from({ length: 1_000 }, (_, n) => eventOf(n, { "user.name": `u${n}` }, start + n * 36_000_000));
    const { desk } = await opened({ stored });
    const held = await applied(desk, [ruleText(1, "*"), ruleText(2, "u7")]);
    expect(held.blocked).toEqual([
      expect.stringMatching(/^Rule 1: about 2,402 alerts a day \(2,402 matches\); the budget of one rule is 100/),
    ]);
    expect(held.plan.gate).toMatchObject({ events: 1_000, span_s: 35_964 });
    expect(states(desk)).toEqual({});
    expect((await applied(desk, [ruleText(1, "*")], "shadow")).blocked).toEqual([]);
    expect((await desk.decide(idOfRule(1), "enabled", me)).blocked).toHaveLength(1);
    expect(states(desk)).toEqual({ "Rule 1": "shadow" });
    await desk.decide(idOfRule(1), "enabled", me, { force: true });
    expect(states(desk)).toEqual({ "Rule 1": "enabled" });
  });

  test("the gate judges as production does: with filters, with the site's placeholders, and by alerts, not by what they count", async () => {
    const users = (n: number) => ({ "user.name": n % 2 === 0 ? "root" : `u${n}`, "host.name": "h" });
    const stored = Array.from({ length: 1_000 }, (_, n) => eventOf(n, users(n), start + n * 36_000_000));
    const { desk } = await opened({ stored, placeholders: { admins: ["root", "u7"] } });
    const estimates = async (...texts: string[]) => (await desk.look(release(...texts), "enabled")).gate.estimates;
    const root = ruleText(1, "root");
    expect(await estimates(root)).toMatchObject([{ matched: 500, alerts_per_day: 2.4 }]);
    const filter = `title: Not root\nid: not-root\nlogsource: { category: test }\nfilter:\n  rules: ['${idOfRule(1)}', '${idOfRule(3)}']\n  all: { user.name: root }\n  condition: not all\n`;
    expect(await estimates(root, ruleText(3, "u9"), filter)).toMatchObject([
      { matched: 0, alerts_per_day: 0 },
      { matched: 1, alerts_per_day: 2.4 },
    ]);
    const expanded = ruleText(2, "%admins%").replace("user.name:", "user.name|expand:");
    expect(await estimates(expanded)).toMatchObject([{ matched: 501 }]);
  });

  test("a correlation is estimated by the alerts that it raises, and what only feeds it by none", async () => {
    const stored = Array.from({ length: 1_000 }, (_, n) =>
      eventOf(n, { "user.name": "root", "host.name": `h${n >> 1}` }, start + n * 36_000_000),
    );
    const { desk } = await opened({ stored });
    const pairs = `title: Twice\nid: twice\nlevel: high\ncorrelation:\n  type: event_count\n  rules: ['${idOfRule(1)}']\n  group-by: [host.name]\n  timespan: 5m\n  condition: { gte: 2 }\n`;
    const held = await applied(desk, [ruleText(1, "root"), pairs]);
    expect(held.plan.gate.estimates).toMatchObject([{ id: "twice", matched: 500, alerts_per_day: 1_201 }]);
    expect(held.blocked).toEqual([expect.stringMatching(/^Twice: about 1,201 alerts a day/)]);
  });

  test("a rule is held back for what it takes of a core, too, where enough was timed to tell", () => {
    const cost = { evaluated: 61_000, timed: 1_000, estimated_ms: 6_100, longest_ms: 50 };
    expect(costOf(cost, 100_000)).toBeCloseTo(30.5, 0);
    expect(costOf({ ...cost, timed: 7 }, 100_000)).toBe(0);
    // one of the timed ones met a pause of the machine: it is not the rule's
    expect(costOf({ evaluated: 610, timed: 10, estimated_ms: 3_050, longest_ms: 50 }, 1_000)).toBe(0);
    const [rule] = parseRules(ruleText(1, "x"), "r.yml").rules;
    const quiet = { matched: 1, alerts_per_day: 1, cost };
    const why = (cost_us: number) => heldBack(rule!, quiet, { cost_us, budget: 100, span_days: 7 });
    expect([why(9), why(30)]).toEqual([undefined, "30 µs of every event that comes in; one rule may take 10"]);
  });

  test("without a stored event a rule for any value is known by its form", async () => {
    const { desk } = await opened();
    expect((await applied(desk, [ruleText(1, "*")])).blocked).toEqual([expect.stringContaining("whatever its value")]);
    expect((await applied(desk, [ruleText(1, "*x")])).blocked).toEqual([]);
  });

  test("a set that covers less asks first", async () => {
    const { desk } = await opened();
    await applied(desk, [ruleText(1, "root"), ruleText(2, "bob")]);
    const less = await applied(desk, [ruleText(1, "root")]);
    expect(less.blocked).toEqual([expect.stringMatching(/1 enabled rules less and T1002 not covered any more \(--yes/)]);
    expect(less.plan.coverage).toEqual({ enabled: [2, 1], gained: [], lost: ["T1002"], rules_lost: ["Rule 2"] });
    expect(Object.keys(states(desk))).toHaveLength(2);
    expect((await applied(desk, [ruleText(1, "root")], "enabled", { yes: true })).blocked).toEqual([]);
    expect((await desk.apply({ kind: "remove", pack: "mine" }, me, { yes: true })).blocked).toEqual([]);
    expect(desk.lines().rules).toEqual([]);
  });

  test("what cannot be a release is refused: ways out of the pack, names twice, too much", async () => {
    const { desk } = await opened();
    for (const file of ["../x.yml", "/etc/x.yml", "a/../../x.yml", "a\u001b[2Jx.yml", ".hidden", ""])
      await expect(desk.keep({ pack: "p", origin: "", rules: [{ file, text: "" }] })).rejects.toMatchObject({ code: "bad_request" });
    const twice = [1, 2].map(() => ({ file: "a.yml", text: "" }));
    await expect(desk.keep({ pack: "p", origin: "", rules: twice })).rejects.toThrow("twice");
    await expect(desk.keep({ pack: "P!", origin: "", rules: [] })).rejects.toMatchObject({ code: "bad_request" });
    await expect(desk.keep({ pack: "p", origin: "", rules: [{ file: "a.yml", text: "x".repeat((1 << 20) + 1) }] })).rejects.toMatchObject({
      code: "too_large",
    });
    await expect(desk.apply({ kind: "apply", release: "0".repeat(64), state: "shadow" }, me)).rejects.toMatchObject({ code: "not_found" });
  });
});

test("a plan says what changes in the rules' own terms, and changes nothing", async () => {
  const { desk } = await opened();
  await applied(desk, [ruleText(1, "root"), ruleText(2, "bob"), ruleText(4, "old")]);
  const versions = desk.versions().length;
  const { plan } = await desk.keep(
    release(
      ruleText(1, "toor", "level: critical\n"),
      ruleText(2, "bob", "level: high\nstatus: test\ndescription: other words\n"),
      ruleText(3, "eve"),
    ),
  );
  expect(plan.differences.map(({ title, what, details }) => [what, title, ...details])).toEqual([
    ["removed", "Rule 4"],
    [
      "changed",
      "Rule 1",
      "state: enabled → shadow",
      "level: high → critical",
      "selection selection: - user.name:root",
      "selection selection: + user.name:toor",
    ],
    ["changed", "Rule 2", "state: enabled → shadow"],
    ["added", "Rule 3", "high, test, T1003"],
  ]);
  expect(desk.versions()).toHaveLength(versions);
  expect(states(desk)).toEqual({ "Rule 1": "enabled", "Rule 2": "enabled", "Rule 4": "enabled" });
});

describe("trial and promotion", () => {
  const day = 86_400_000_000;
  const found = (rule: string, at: number, host: string, more: Partial<Finding> = {}) =>
    ({
      rule: { id: rule },
      entities: [{ type: "host.name", id: host }],
      window: { start: at },
      shadow: true,
      revision: 0,
      ...more,
    }) as Finding;
  /** A week in which the rules see events, and what they find on each of its days. */
  const week = (desk: Desk, ids: readonly string[], findings: (at: number) => readonly Finding[]) => {
    for (let d = 0; d < 7; d++) {
      const rules = Object.fromEntries(ids.map((id) => [id, [1_000, 0] as const]));
      desk.add({ rules, days: [Math.floor(start / day) + d], costs: {} }, findings(start + d * day));
    }
  };
  const noise = (n: number, at: number, hosts: number) => Array.from({ length: 500 }, (_, i) => found(idOfRule(n), at, `h${i % hosts}`));

  test("a promotion is proposed for what is severe, mature, sees data, is proved and quiet for a week; nothing promotes itself", async () => {
    const { desk } = await opened({ proved: [1, 3, 4, 5, 6, 7].map(idOfRule) });
    const texts = [
      ruleText(1, "bob"),
      ruleText(2, "eve"),
      ruleText(3, "low", "level: medium\nstatus: test\n"),
      ruleText(4, "young", "level: critical\nstatus: experimental\n"),
      ruleText(5, "loud"),
      ruleText(6, "one host", "level: critical\nstatus: stable\n"),
      ruleText(7, "blind"),
    ];
    await applied(desk, texts, "shadow");
    const missing = (n: number) => desk.rule(idOfRule(n)).missing;
    expect(missing(1)).toEqual(["no event that it looks at has come in", "0 of 7 days of events"]);
    week(desk, [1, 2, 3, 4, 5, 6].map(idOfRule), (at) => [...noise(5, at, 250), ...noise(6, at, 1), found(idOfRule(1), at, "h")]);
    // each clause alone keeps a rule from being proposed
    expect(missing(1)).toEqual([]);
    expect(missing(2)).toEqual(["not proved able to fire; vedette rule prove says why"]);
    expect(missing(3)).toEqual(["level medium; proposed from high on"]);
    expect(missing(4)).toEqual(["status experimental; proposed with test or stable"]);
    expect(missing(5)).toEqual(["1750 alerts in 7 days (3500 matches); the budget is 100 a day"]);
    // many matches of one host are one alert a day, as the gate counts them
    expect(missing(6)).toEqual([]);
    expect(missing(7)).toEqual(["no event that it looks at has come in", "0 of 7 days of events"]);
    expect(states(desk)["Rule 1"]).toBe("shadow");
    expect((await desk.promote(idOfRule(5), me)).blocked).toEqual([expect.stringMatching(/^Rule 5: 1750 alerts .*\(--force/)]);
    expect((await desk.promote(idOfRule(1), { ...me, owner: "team-a" })).blocked).toEqual([]);
    expect(states(desk)).toMatchObject({ "Rule 1": "enabled", "Rule 5": "shadow" });
    await expect(desk.promote(idOfRule(1), me)).rejects.toMatchObject({ code: "conflict" });
  });

  test("a day less than a week, or one alert more than the budget allows, is not enough", async () => {
    const { desk } = await opened({ proved: [idOfRule(1), idOfRule(2)], budget: 10 });
    await applied(desk, [ruleText(1, "bob"), ruleText(2, "eve")], "shadow");
    const ids = [idOfRule(1), idOfRule(2)];
    for (let d = 0; d < 6; d++)
      desk.add({ rules: Object.fromEntries(ids.map((id) => [id, [1, 0] as const])), days: [Math.floor(start / day) + d], costs: {} }, []);
    expect(desk.rule(idOfRule(1)).missing).toEqual(["6 of 7 days of events"]);
    const seventh = Math.floor(start / day) + 6;
    const alerts = (n: number, count: number) => Array.from({ length: count }, (_, i) => found(idOfRule(n), seventh * day, `h${i}`));
    desk.add({ rules: Object.fromEntries(ids.map((id) => [id, [1, 0] as const])), days: [seventh], costs: {} }, [
      ...alerts(1, 70),
      ...alerts(2, 71),
      // amended, taken back, or found while it was enabled: none of them is another alert of the trial
      found(idOfRule(1), seventh * day, "x", { revision: 1 }),
      found(idOfRule(1), seventh * day, "y", { withdrawn: true }),
      ...Array.from({ length: 9 }, (_, i) => ({ ...found(idOfRule(1), seventh * day, `z${i}`), shadow: undefined }) as unknown as Finding),
    ]);
    expect(desk.rule(idOfRule(1)).missing).toEqual([]);
    expect(desk.rule(idOfRule(2)).missing).toEqual(["71 alerts in 7 days (71 matches); the budget is 10 a day"]);
  });

  test("a correlation is tried by the events of its rules and its own findings, and promoted together with what only feeds it", async () => {
    const series = `title: Series\nid: series\nlevel: high\nstatus: test\ncorrelation:\n  type: event_count\n  rules: ['${idOfRule(1)}']\n  group-by: [host.name]\n  timespan: 5m\n  condition: { gte: 2 }\n`;
    const { desk } = await opened({ proved: ["series"] });
    await applied(desk, [ruleText(1, "root"), series], "shadow");
    expect(desk.rule("series").missing).toEqual(["no event that it looks at has come in", "0 of 7 days of events"]);
    expect(desk.rule(idOfRule(1)).missing).toEqual(["raises nothing by itself; it is enabled with the correlation that takes it"]);
    week(desk, [idOfRule(1)], (at) => Array.from({ length: 200 }, (_, i) => found("series", at, `h${i}`)));
    expect(desk.rule("series").missing).toEqual(["1400 alerts in 7 days (1400 matches); the budget is 100 a day"]);
    await desk.promote("series", me, { force: true });
    expect(states(desk)).toEqual({ "Rule 1": "enabled", Series: "enabled" });
  });

  test("what was counted of a trial survives a restart; another content starts another trial", async () => {
    const { desk } = await opened();
    await applied(desk, [ruleText(1, "bob")], "shadow");
    week(desk, [idOfRule(1)], (at) => noise(1, at, 200));
    await desk.upkeep(30_000);
    const again = await rig.open();
    const told = "1400 alerts in 7 days (3500 matches); the budget is 100 a day";
    expect(again.desk.rule(idOfRule(1)).missing).toEqual(["not proved able to fire; vedette rule prove says why", told]);
    await applied(again.desk, [ruleText(1, "bobby")], "shadow");
    expect(again.desk.rule(idOfRule(1)).missing).toContain("0 of 7 days of events");
  });

  test("a rule that takes too much of a core in two windows is quarantined, by name and with an alert", async () => {
    const { desk, control } = await opened({}, ruleText(1, "root"), ruleText(2, "bob"));
    const spend = (n: number, ms: number) =>
      desk.add({ rules: {}, days: [], costs: { [idOfRule(n)]: { evaluated: 9, estimated_ms: ms } } }, []);
    spend(1, 20_000);
    spend(2, 100);
    await desk.upkeep(30_000);
    expect(states(desk)).toEqual({ "Rule 1": "enabled", "Rule 2": "enabled" });
    spend(1, 15_000);
    await desk.upkeep(30_000);
    expect(states(desk)).toEqual({ "Rule 1": "quarantined", "Rule 2": "enabled" });
    expect(control.current!.change).toMatchObject({
      what: "quarantine",
      by: "vedette",
      subject: idOfRule(1),
      reason: "evaluating it took 50 % of a core",
    });
    const [entry] = await rig.log.read("findings", 0, 0, 1_000_000);
    const batch = JSON.parse(Buffer.from((entry as { bytes: Uint8Array }).bytes).toString()) as { findings: { summary: string }[] };
    expect(batch.findings[0]!.summary).toContain("Rule 1: evaluating it took 50 % of a core");
  });
});

describe("rollback", () => {
  const batches = async () =>
    (await rig.log.read("findings", 0, 0, 1_000_000)).map(
      (e) => JSON.parse(Buffer.from((e as { bytes: Uint8Array }).bytes).toString()) as FindingsBatch,
    );

  test("goes back to the version before, takes back what only the one left had enabled, and passes over what was rolled back", async () => {
    const { desk, control } = await opened();
    await applied(desk, [ruleText(1, "root")]);
    const good = control.current!;
    await applied(desk, [ruleText(1, "toor"), ruleText(2, "bob")]);
    const bad = control.current!;
    expect(await desk.rollback(undefined, me)).toEqual({ version: 4, to: 2, rules: 2 });
    expect(control.current).toMatchObject({ hash: good.hash, change: { what: "rollback", to: 2, by: "ann" } });
    expect(states(desk)).toEqual({ "Rule 1": "enabled" });
    const [batch] = await batches();
    expect(batch).toMatchObject({
      retract: {
        by: "ann",
        rules: [
          [idOfRule(1), expect.anything()],
          [idOfRule(2), expect.anything()],
        ],
      },
    });
    const [, second] = (batch as unknown as { retract: { rules: [string, string][] } }).retract.rules;
    expect(control.retracted(bad.hash, { id: second![0], hash: second![1] }, 0)).toBe(true);
    expect(control.retracted(good.hash, { id: second![0], hash: second![1] }, 0)).toBe(false);
    // again: not forward into what was left, but further back
    expect(await desk.rollback(undefined, me)).toMatchObject({ to: 1 });
    await expect(desk.rollback(99, me)).rejects.toMatchObject({ code: "not_found" });
  });

  test("a version put in force again counts from then on", async () => {
    const { desk, control } = await opened();
    await applied(desk, [ruleText(1, "root")]);
    await desk.rollback(undefined, me);
    const rule = { id: idOfRule(1), hash: control.versions[1]!.program.change!.retracted?.rules[0]?.[1] ?? "" };
    const [[, hash]] = control.current!.change!.retracted!.rules as [[string, string]];
    await rig.log.append("raw", 0, Buffer.from("a batch"));
    await applied(desk, [ruleText(1, "root")]);
    const { hash: program } = control.current!;
    const taken = (raw: number) => control.retracted(program, { ...rule, hash }, raw);
    expect([taken(0), taken(1)]).toEqual([true, false]);
  });

  test("a restart neither brings back the files that were rolled back nor tells triage twice", async () => {
    const { desk } = await opened({}, ruleText(1, "root"));
    rig.disk.push({ file: "bad.yml", text: ruleText(2, "bob") });
    await desk.apply({ kind: "reload" }, me);
    await desk.rollback(undefined, me);
    const again = await rig.open();
    expect(states(again.desk)).toEqual({ "Rule 1": "enabled" });
    expect(await batches()).toHaveLength(1);
    rig.disk.push({ file: "new.yml", text: ruleText(3, "eve") });
    expect(Object.keys(states((await rig.open()).desk))).toHaveLength(3);
  });
});
