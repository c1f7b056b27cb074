/** What the fake server knows: events, alerts, rules, sources, dead letters, and whether the demo is in. */
import type { Alert, AuditRecord, DeadLetter, EventRow, Rule, RuleVersion, Severity, Source, Status } from "../src/api/types.ts";
import { makeAlerts } from "./alerts.ts";
import { casesOf, type FakeCases, makeCases, no_cases } from "./cases.ts";
import { type FakeData, makeData, no_data } from "./data.ts";
import { makeEvents, stamp } from "./events.ts";
import { disguised, hostileAlert, hostileEvent, hostileLetter, hostileRecord, hostileRule, hostileSource, payloads } from "./hostile.ts";
import { hostileData } from "./hostile_data.ts";
import { type FakePeople, hostilePeople, makePeople, no_people } from "./people.ts";

export interface FakeState {
  events: EventRow[];
  alerts: Alert[];
  rules: Rule[];
  versions: RuleVersion[];
  sources: Source[];
  letters: DeadLetter[];
  records: AuditRecord[];
  data: FakeData;
  people: FakePeople;
  cases: FakeCases;
  demo: { present: boolean; running: boolean; events: number };
  ready: boolean;
  problems: { code: string; message: string }[];
  started: string;
}

export type Scenario = "normal" | "empty" | "hostile";

const rule_names = [
  "ssh_brute_force",
  "mining_pool_connection",
  "web_path_traversal",
  "proc_miner_by_name",
  "win_special_logon",
  "curl_from_ip",
];
const levels: readonly Severity[] = ["critical", "high", "medium", "high", "low", "informational"];
const titles = [
  "SSH brute force followed by a login",
  "Connection to a mining pool",
  "Path traversal in a web request",
  "Miner process in a batch job",
  "Special privileges assigned to new logon",
  "Script fetched from a bare address",
];

const decided = { by: "ann", at: "2026-11-19T09:12:00.000000Z", reason: "SigmaHQ release of November, on trial", changed: false };

function rule(id: string, title: string, changes: Partial<Rule>): Rule {
  return {
    id,
    title,
    level: "medium",
    status: "test",
    author: "Vedette",
    state: "enabled",
    file: `content/rules/${id}.yml:1`,
    attack: [],
    seen: 0,
    matched: 0,
    capped: 0,
    skipped: {},
    cost_ms: 0,
    ...changes,
  };
}

function makeRules(): Rule[] {
  const rules: Rule[] = rule_names.map((id, at) =>
    rule(id, titles[at]!, {
      level: levels[at]!,
      attack: [["T1110.001", "T1078"], ["T1496"], ["T1190"], ["T1496"], ["T1078.002"], []][at]!,
      seen: 184_220 - at * 21_000,
      matched: [63, 12, 4, 7, 230, 2][at]!,
      skipped: at === 2 ? { field_too_long: 3 } : {},
      cost_ms: [812.4, 40, 310.2, 12, 5, 0][at]!,
      ...(at === 4 && {
        state: "shadow" as const,
        file: `sigmahq/rules/windows/${id}.yml:1`,
        decision: decided,
        missing: ["level low; proposed from high on", "3 of 7 days of events", "230 matches in 3 days; the budget is 100 a day"],
      }),
    }),
  );
  for (let at = 0; at < 40; at += 1)
    rules.push(
      rule(`pack_${at}`, `Starter pack rule ${at}`, { level: levels[at % 6]!, attack: [`T10${String(10 + at)}`], seen: 9_000 + at }),
    );
  rules.push(
    rule("win_dcsync", "Replication requested by a workstation", {
      level: "critical",
      state: "shadow",
      author: "Jane Doe",
      file: "sigmahq/rules/windows/win_dcsync.yml:1",
      attack: ["T1003.006"],
      seen: 41_223,
      matched: 1,
      decision: decided,
      missing: [],
    }),
    rule("slow_regex", "Long script with a reversed word", {
      level: "high",
      state: "quarantined",
      file: "sigmahq/rules/windows/slow_regex.yml:1",
      attack: ["T1059.001"],
      seen: 9_120,
      cost_ms: 41_220,
      capped: 0,
      reason: "evaluating it took 48 % of a core",
      decision: { by: "vedette", at: "2026-11-20T22:04:11.000000Z", reason: "evaluating it took 48 % of a core", changed: false },
    }),
    rule("win_lsass_access", "Process access to LSASS", {
      level: "high",
      state: "refused",
      author: "",
      file: "rules/local/lsass.yaml:14:9",
      reason: "line 14: modifier “windash2” is not known; did you mean “windash”?",
      attack: ["T1003.001"],
    }),
  );
  return rules;
}

function makeVersions(): RuleVersion[] {
  const base = { program: "9f2c61d0e7ab44b1", rules: 49, current: false };
  return [
    {
      ...base,
      number: 3,
      at: "2026-11-20T22:04:11.000000Z",
      what: "quarantine",
      by: "vedette",
      reason: "evaluating it took 48 % of a core",
      subject: "slow_regex",
      current: true,
    },
    { ...base, number: 2, at: decided.at, what: "apply", by: "ann", reason: decided.reason, subject: "sigmahq" },
    { ...base, number: 1, at: "2026-11-18T08:00:00.000000Z", what: "start", by: "vedette", reason: "" },
  ];
}

function makeSources(now_ms: number): Source[] {
  const last_received = stamp(now_ms - 300);
  const base = { dropped: {}, pending: 0, dead: 0, warnings: [] };
  return [
    { ...base, name: "sshd", type: "file", state: "running", in: 81_230, stored: 81_204, dead: 2, pending: 24, last_received, rate: 41.3 },
    { ...base, name: "zeek", type: "file", state: "running", in: 1_204_881, stored: 1_204_610, pending: 271, last_received, rate: 388.2 },
    {
      ...base,
      name: "nginx",
      type: "syslog",
      state: "running",
      in: 40_022,
      stored: 40_010,
      dead: 8,
      dropped: { duplicate: 4 },
      last_received,
      rate: 12.4,
      warnings: [
        {
          at: stamp(now_ms - 60_000),
          code: "clock_ahead",
          message: "web-1 sends times 48 s in the future; the receive time is used for order",
        },
      ],
    },
    {
      ...base,
      name: "winlogbeat",
      type: "elastic_bulk",
      state: "idle",
      in: 5_120,
      stored: 5_120,
      last_received: stamp(now_ms - 900_000),
      rate: 0,
    },
    {
      ...base,
      name: "cloudtrail",
      type: "file",
      state: "failed",
      in: 0,
      stored: 0,
      rate: 0,
      warnings: [
        { at: stamp(now_ms - 5_000), code: "not_readable", message: "/var/log/cloudtrail: permission denied; trying again every 10 s" },
      ],
    },
  ];
}

function makeLetters(now_ms: number): DeadLetter[] {
  const inputs: readonly (readonly [string, string, string, string])[] = [
    ["nginx", "bad_json", "one JSON object a line", '{"time": "2026-11-21T06:3'],
    ["sshd", "bad_utf8", "UTF-8 text", "Nov 21 sshd[1]: \ufffd\ufffd\u0000\u0001binary"],
    ["nginx", "too_deep", "at most 64 levels", "[".repeat(90)],
  ];
  return Array.from({ length: 40 }, (_, at) => {
    const [source, code, expected, text] = inputs[at % inputs.length]!;
    return {
      source,
      position: `/var/log/${source}.log@${81_000 + at * 113}`,
      received: stamp(now_ms - at * 61_000),
      stage: "decode",
      code,
      expected,
      bytes: Buffer.from(text).toString("base64"),
    };
  });
}

function makeRecords(now_ms: number): AuditRecord[] {
  const acts: readonly (readonly [action: string, outcome: string, user: string, about: AuditRecord["fields"]])[] = [
    ["events_searched", "success", "ann", { "vedette.audit.query": "user.name:root", "vedette.audit.rows": 100 }],
    ["rule_disabled", "success", "ann", { "rule.id": "curl_from_ip", "vedette.audit.reason": "the package mirror" }],
    ["login", "failure", "unknown", { "url.path": "/api/v1/alerts" }],
    ["alert_closed", "success", "ben", { "vedette.audit.alert": "alert-0003", "vedette.audit.verdict": "benign" }],
    ["rules_applied", "unknown", "ann", { "vedette.audit.reason": "SigmaHQ of November" }],
    ["service_started", "success", "vedette", { "service.version": "0.1.0" }],
  ];
  return Array.from({ length: 120 }, (_, at) => {
    const [action, outcome, user, about] = acts[at % acts.length]!;
    const record = { n: 119 - at, time: stamp(now_ms - at * 97_000), hash: `hash-of-record-${119 - at}` };
    if (at === 9) return { ...record, erased: { by: "dpo", reason: "request 7 of the person", time: stamp(now_ms) } };
    return {
      ...record,
      fields: { "event.action": action, "event.outcome": outcome, "user.name": user, "source.ip": "192.0.2.7", ...about },
    };
  });
}

export function makeState(scenario: Scenario, now_ms: number): FakeState {
  const started = stamp(now_ms - 3_720_000);
  if (scenario === "empty") {
    return {
      events: [],
      alerts: [],
      rules: makeRules(),
      versions: makeVersions(),
      sources: [],
      letters: [],
      records: [],
      data: no_data,
      people: no_people,
      cases: { ...no_cases },
      demo: { present: false, running: false, events: 0 },
      ready: true,
      problems: [],
      started,
    };
  }
  const state: FakeState = {
    events: makeEvents(6_000, 23 * 3_600_000, now_ms),
    alerts: makeAlerts(120, now_ms),
    rules: makeRules(),
    versions: makeVersions(),
    sources: makeSources(now_ms),
    letters: makeLetters(now_ms),
    records: makeRecords(now_ms),
    data: makeData(now_ms),
    people: makePeople(now_ms),
    cases: makeCases(now_ms),
    demo: { present: true, running: true, events: 18_240 },
    ready: true,
    problems: [{ code: "source_failed", message: "Source cloudtrail cannot be read: permission denied." }],
    started,
  };
  if (scenario === "hostile") {
    state.events.unshift(hostileEvent(now_ms));
    state.alerts.unshift(hostileAlert(now_ms));
    state.rules.unshift(hostileRule);
    state.sources.unshift(hostileSource(now_ms));
    state.letters.unshift(hostileLetter(now_ms));
    state.data = hostileData(now_ms);
    state.people = hostilePeople(now_ms);
    state.cases = casesOf([...payloads, disguised], now_ms);
    state.records.unshift(hostileRecord(now_ms));
    state.problems.unshift({ code: `<img src=x onerror="window.__xss=1">`, message: `<script>window.__xss=1</script>` });
  }
  return state;
}

export function statusOf(state: FakeState, rate: number): Status {
  const open: { [level in Severity]: number } = { critical: 0, high: 0, medium: 0, low: 0, informational: 0 };
  for (const alert of state.alerts) if (alert.state === "open") open[alert.severity] += 1;
  const stored = state.sources.reduce((sum, source) => sum + source.stored, 0);
  return {
    version: "0.1.0",
    started: state.started,
    events: stored,
    rate,
    lag_ms: stored === 0 ? 0 : 38 + (rate % 20),
    alerts: { open },
    disk: { log_bytes: 184_000_000, open_bytes: 61_000_000, sealed_bytes: 412_000_000, original_bytes: 2_910_000_000 },
    demo: state.demo,
    ready: state.ready,
    problems: state.problems,
  };
}
