/** A running Vedette that detects nothing: what is asked of it is remembered, what it answers never changes. */
import { BadInputError } from "@vedette/kit";
import type { Notice, RulePlan } from "@vedette/model";
import type { EnrichmentPort, PipelinesPort, RulesPort, RuntimePort } from "../ports.ts";
import { start } from "./samples.ts";

export interface FakeRuntime extends RuntimePort {
  readonly desk: FakeDesk;
  demoRunning: boolean;
  problems: { code: string; message: string }[];
  notify(notice: Notice): void;
  readonly listeners: Map<(notice: Notice) => void, boolean>;
}

const emptyPlan: RulePlan = {
  program: "h",
  differences: [],
  refused: [],
  notes: [],
  coverage: { enabled: [1, 1], gained: [], lost: [], rules_lost: [] },
  gate: { events: 0, span_s: 0, estimates: [] },
};

interface FakeDesk extends RulesPort {
  /** What was asked for, in order. */
  readonly asked: unknown[][];
}

function fakeDesk(): FakeDesk {
  const asked: unknown[][] = [];
  const release = { hash: "a".repeat(64), pack: "mine", origin: "here", at: start, files: 1 };
  const done = (...what: unknown[]) => {
    asked.push(what);
    return Promise.resolve({ version: 2, blocked: what.includes("block") ? ["no"] : [], plan: emptyPlan });
  };
  return {
    asked,
    rule: (id) => {
      if (id !== "r1") throw new BadInputError("not_found", `there is no rule ${id}`);
      const decision = { by: "ann", at: start, reason: "ours", changed: false };
      const [row] = fakeRuntime().rules().rules;
      const history = [{ version: 1, what: "apply", state: "enabled" as const, by: "ann", at: start, reason: "ours" }];
      return { ...row!, decision, description: "", falsepositives: [], references: [], response: [], hash: "rh", history };
    },
    guidance: async (id) => ({
      description: `What ${id} finds.`,
      status: "test",
      response: ["Look."],
      falsepositives: ["Backups"],
      references: [],
    }),
    versions: () => [{ number: 1, at: start, program: "h", rules: 1, what: "start", by: "vedette", reason: "", current: true }],
    releases: async () => [release],
    keep: async (given) => {
      asked.push(["keep", given.pack, given.rules.length]);
      return { release, plan: emptyPlan };
    },
    plan: async () => emptyPlan,
    look: async () => emptyPlan,
    apply: (...what) => done("apply", ...what),
    decide: (...what) => done("decide", ...what),
    promote: (...what) => done("promote", ...what),
    rollback: async (to, who) => {
      asked.push(["rollback", to, who]);
      return { version: 3, to: to ?? 1, rules: 1 };
    },
  };
}

function fakeEnrichment(): EnrichmentPort {
  const table = (bytes: number) => ({ hash: "t", bytes, rows: 1, at: start, by: "ann" });
  return {
    lines: () => [{ name: "assets", summary: "Hosts.", state: "running", inventory: true, table: table(3) }],
    put: async (name, bytes, who) => {
      if (name !== "assets") throw new BadInputError("not_found", `there is no inventory ${name}`);
      if (!Buffer.from(bytes).toString().includes("host")) throw new BadInputError("bad_table", "line 1: expected a header line");
      return { ...table(bytes.length), by: `${who.by}: ${who.reason}` };
    },
    remove: async (name) => {
      if (name !== "assets") throw new BadInputError("not_found", `there is no inventory ${name}`);
    },
    reload: async () => ["geoip"],
  };
}

function fakePipelines(): PipelinesPort {
  const losses = [{ id: "r1", title: "R", how: "pipeline p: 1 drop" }];
  return {
    lines: async () => [{ name: "p", file: "p.yml", steps: [{ name: "1 drop", does: "drop", dropped: 4 }], cases: 1, failing: 0 }],
    losses: async () => losses,
    preview: async (files) => ({
      events: 10,
      from: start,
      to: start + 1,
      dropped: { "pipeline p: 1 drop": 4 },
      changed: 1,
      examples: [{ id: "e", time: start, source: "web", before: { a: "b" }, after: { a: "c" } }],
      refused: files.filter(({ text }) => text === "bad").map(({ file }) => `${file}:1:1: no`),
      losses,
    }),
    reload: async (_who, yes) => ({ blocked: yes ? [] : ["1 rule loses its data"], changed: yes, losses }),
    reveal: async (pseudonym, who) => {
      if (pseudonym !== "pn_ada") throw new BadInputError("not_found", "this installation's key made no such pseudonym");
      return `ada, for ${who.by}: ${who.reason}`;
    },
  };
}

export function fakeRuntime(): FakeRuntime {
  const listeners = new Map<(notice: Notice) => void, boolean>();
  const counts = { in: 10, split: 0, stored: 7, dead: 2, dropped: { comment: 1 }, pending: 0 };
  const runtime: FakeRuntime = {
    started: start,
    demoRunning: false,
    problems: [],
    listeners,
    notify: (notice) => {
      for (const [listener, events] of listeners) if (notice.kind === "alert" || events) listener(notice);
    },
    rate: () => 12.5,
    lag: async () => 2_500,
    ready: async () => ({ ready: runtime.problems.length === 0, problems: runtime.problems }),
    quality: () => ({
      at: start,
      sources: [
        {
          name: "web",
          state: "silent",
          last: start - 90_000_000,
          silence_allowed: 45_000_000,
          formats: [{ format: "nginx_access", records: 100, flaws: 30, failing: true }],
          unknown_fields: [{ field: "odd", sampled: 3 }],
          drift: [{ kind: "nginx.access", appeared: ["odd"], vanished: [], at: start }],
        },
      ],
      hosts: { known: 3, unwatched: 0, silent: [{ name: "h1", last: 0 }], clocks: [{ host: "h2", source: "web", lead: 60_000_000 }] },
    }),
    sinkStates: async () => [
      {
        name: "soc",
        type: "splunk_hec",
        select: "alerts",
        format: "ecs",
        state: "waiting",
        read: 10,
        sent: 7,
        refused: { "HTTP 400": 1 },
        skipped: 2,
        missed: 0,
        pending: 3,
        lag: 5_000_000,
        problem: "HTTP 503",
        lastSent: start,
      },
    ],
    sourceStates: async () => [
      {
        name: "web",
        type: "file",
        state: "running",
        ...counts,
        lastReceived: start,
        rate: 1,
        warnings: [{ at: start, code: "rotated", message: "…" }],
      },
    ],
    ledger: async () => [{ name: "web", ...counts, balance: 0 }],
    rules: () => ({
      rules: [
        {
          id: "r1",
          title: "R",
          level: "high",
          status: "test",
          author: "",
          state: "enabled",
          unknown_fields: ["user.nmae"],
          file: "r.yml:1",
          attack: [],
          seen: 3,
          matched: 1,
          capped: 0,
          skipped: {},
          cost_ms: 1,
        },
      ],
      hash: "h",
      version: 1,
    }),
    deadLetters: async (limit, before) => ({
      letters: [
        {
          source: "web",
          position: String(before ?? 9),
          received: start,
          stage: "decode" as const,
          code: "bad_json",
          expected: "JSON",
          bytes: "",
        },
      ].slice(0, limit),
      next: 4,
    }),
    subscribe: (listener, events = false) => {
      listeners.set(listener, events);
      return () => listeners.delete(listener);
    },
    startDemo: async () => {
      runtime.demoRunning = true;
    },
    clearDemo: async () => {
      runtime.demoRunning = false;
      return { events: 5, alerts: 1 };
    },
    logBytes: async () => 4,
    detectors: () => [
      {
        name: "brute_force",
        keys: 2,
        observations: 9,
        late: 3,
        caught_up: 2,
        skipped: 1,
        repeated: 0,
        capped: 0,
        crowded: 0,
        spilled: 0,
      },
    ],
    desk: fakeDesk(),
    enrichment: fakeEnrichment(),
    pipelines: fakePipelines(),
  };
  return runtime;
}
