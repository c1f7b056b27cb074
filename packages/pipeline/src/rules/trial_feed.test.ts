/** Counts of rules on trial over several processes: of what all of them found and were asked, once, whoever leads. */
import { memoryLog } from "@vedette/log";
import type { Finding, Micros } from "@vedette/model";
import { expect, test } from "vitest";
import { Trials } from "./trial.ts";
import { TrialFeed } from "./trial_feed.ts";

const day: Micros = 86_400_000_000;
const now = 20_000 * day;
const shadow = new Map([["r", { hash: "h", asks: ["r"], follows: false }]]);
const finding = (host: string): Finding =>
  ({
    id: host,
    rule: { id: "r", hash: "h" },
    entities: [{ type: "host", id: host }],
    window: { start: now, end: now },
    shadow: true,
    revision: 0,
  }) as unknown as Finding;
const countsOf = (seen: number) => ({ rules: new Map([["r", [seen, 0] as [number, number]]]), capped: new Map() });
const on = () => {
  const trials = new Trials();
  trials.follow(shadow);
  return trials;
};

test("what was found is read once, what was asked is what came since; another leader goes on with what was kept", async () => {
  const log = memoryLog();
  const write = (...hosts: string[]) =>
    log.append("findings", 0, Buffer.from(JSON.stringify({ program: "p", findings: hosts.map(finding) })));
  await write("before");
  const first = new TrialFeed(log);
  let trials = on();
  first.begin(undefined);
  await first.take(trials, countsOf(1_000), now);
  expect(trials.week("r")).toMatchObject({ seen: 0, matched: 0 });

  await write("a", "a");
  await write("b");
  const retract = { rules: [["r", "h"]], by: "ada", reason: "" };
  await log.append("findings", 0, Buffer.from(JSON.stringify({ retract })));
  await log.append("findings", 0, Buffer.from(JSON.stringify({ findings: [{ ...finding("c"), canary: "nonce" }] })));
  await first.take(trials, countsOf(1_250), now);
  expect(trials.week("r")).toEqual({ days: 1, seen: 250, matched: 3, alerts: 2 });

  const second = new TrialFeed(log);
  second.begin(first.next);
  const kept = trials.state();
  trials = new Trials();
  trials.restore(JSON.parse(JSON.stringify(kept)));
  trials.follow(shadow);
  await write("c");
  await second.take(trials, countsOf(1_300), now);
  await second.take(trials, countsOf(1_310), now);
  expect(trials.week("r")).toEqual({ days: 1, seen: 260, matched: 4, alerts: 3 });
});
