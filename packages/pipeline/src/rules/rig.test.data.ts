/** A desk over a log in memory, for the tests of this folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryLog } from "@vedette/log";
import type { Alert, Event } from "@vedette/model";
import { type AlertStore, type EventStore, encodeEvents, type FoldedFinding, openStore, type Store } from "@vedette/store";
import { inlineJudge } from "../backtest/run.ts";
import { Control } from "../control.ts";
import type { Program, ProgramFile } from "../program.ts";
import { RuleDesk } from "./desk.ts";
import { Releases } from "./releases.ts";

export const start = Date.UTC(2026, 10, 1) * 1_000;

/** A rule about one user name; `more` goes to its end. */
export const ruleText = (n: number, user: string, more = "level: high\nstatus: test\n"): string => `title: Rule ${n}
id: 6f4a6c3e-0000-4000-8000-${String(n).padStart(12, "0")}
logsource:
  category: test
detection:
  selection:
    user.name: '${user}'
  condition: selection
tags: [attack.t${1000 + n}]
${more}`;
export const idOfRule = (n: number): string => `6f4a6c3e-0000-4000-8000-${String(n).padStart(12, "0")}`;

export function eventOf(n: number, fields: Event["fields"], time = start + n * 1_000_000): Event {
  const all = Object.assign(Object.create(null), fields) as Event["fields"];
  return { id: `e${n}`, tenant: "main", source: "s", time, received: time, seq: n, class: "other", host: "h", fields: all, original: "" };
}

/** Alerts by id, as the real store keeps them. */
export function memoryAlerts(): AlertStore & { readonly all: ReadonlyMap<string, { readonly group: string; readonly alert: Alert }> } {
  const all = new Map<string, { group: string; alert: Alert }>();
  const findings = new Map<string, FoldedFinding>();
  let next = 0;
  return {
    all,
    byGroup: async (keys) =>
      new Map(
        [...all.values()].flatMap((one) => (keys.includes(one.group) && one.alert.state !== "closed" ? [[one.group, one.alert]] : [])),
      ),
    ofRule: async (rule, limit, after = "") =>
      [...all.values()]
        .filter(({ alert }) => alert.rule.id === rule && alert.id > after)
        .sort((a, b) => (a.alert.id < b.alert.id ? -1 : 1))
        .slice(0, limit),
    seen: async (ids) => new Map(ids.flatMap((id) => (findings.has(id) ? [[id, findings.get(id)!]] : []))),
    fold: async (offset, alerts, folded) => {
      for (const one of alerts) all.set(one.alert.id, one);
      for (const { id, ...rest } of folded) findings.set(id, rest);
      next = offset;
    },
    offset: async () => next,
    list: async () => ({ alerts: [...all.values()].map(({ alert }) => alert), total: all.size }),
    get: async (_, id) => all.get(id)?.alert,
    replace: async () => false,
    changed: async () => [],
    lastChange: async () => 0,
    clearDemo: async () => 0,
  };
}

export async function deskRig(
  more: {
    readonly log?: ReturnType<typeof memoryLog>;
    /** In a store on disk; without any there is none. */
    readonly stored?: readonly Event[];
    readonly budget?: number;
    readonly placeholders?: Program["placeholders"];
    /** Fields that no event is known to carry. */
    readonly unknown?: readonly string[];
    /** Ids of rules whose canary came through. */
    readonly proved?: readonly string[];
  } = {},
) {
  const { log = memoryLog(), stored = [], budget = 100, placeholders, proved = [], unknown = [] } = more;
  const looked: string[] = [];
  const directory = mkdtempSync(join(tmpdir(), "vedette-rules-"));
  const settings = new Map<string, string>();
  let now = start + 86_400_000_000;
  const clock = {
    now: () => now++,
    sleep: async () => {},
    advance: (micros: number) => {
      now += micros;
    },
  };
  const disk: ProgramFile[] = [];
  const counts = { rules: new Map<string, [number, number]>(), capped: new Map<string, number>() };
  let store: Store | undefined;
  if (stored.length > 0) {
    store = await openStore({ directory: join(directory, "store") });
    await store.events.put(0, start, encodeEvents(stored));
  }
  const open = async () => {
    const control = await Control.open(log);
    const desk = await RuleDesk.open({
      log,
      control,
      clock,
      tenant: "main",
      events: store?.events ?? noEvents,
      judge: (plan) => inlineJudge(plan),
      settings: {
        get: async (name) => settings.get(name),
        set: async (name, value) => void (value === undefined ? settings.delete(name) : settings.set(name, value)),
        add: async (name, value) => settings.get(name) ?? value,
        replace: async () => false,
      },
      disk: () => [...disk],
      beside: { pipelines: [], detectors: {}, lateness_s: 30, ...(placeholders && { placeholders }) },
      budget_per_day: budget,
      releases: new Releases(join(directory, "rules")),
      proved: (id) => proved.includes(id),
      unknownFields: () => (rule) => {
        looked.push(rule.id);
        return unknown.filter((field) => JSON.stringify(rule.condition).includes(field));
      },
      counts: () => counts,
    });
    return { desk, control };
  };
  const remove = async () => {
    await store?.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { log, clock, disk, counts, looked, open, remove };
}

const noEvents = {
  estimate: async () => ({ stored: 0, candidates: 0, seconds: 0 }),
  scan: async function* () {},
  usage: async () => ({ events: 0, openBytes: 0, sealedBytes: 0, originalBytes: 0, partitions: 0 }),
} as unknown as EventStore;
