/** The routes of the API over the fake state: plain functions from a request to an answer. */

import type { Alert, AlertRow, Histogram, Verdict } from "../src/api/types.ts";
import { type Answer, ok, problem } from "./answer.ts";
import { readData } from "./data_routes.ts";
import { stamp } from "./events.ts";
import { checkQuery, countBy, filterEvents, runStats } from "./query.ts";
import type { FakeState } from "./state.ts";

export function withoutEvidence(alert: Alert): AlertRow {
  const { evidence: _, history: __, ...row } = alert;
  return row;
}

/** Cuts one page; the cursor is a position, opaque to the console. */
function page<T>(items: readonly T[], params: URLSearchParams): { items: T[]; cursor?: string } {
  const limit = Number(params.get("limit") ?? 50);
  const from = Number(params.get("cursor") ?? 0);
  const end = from + limit;
  return { items: items.slice(from, end), ...(end < items.length && { cursor: String(end) }) };
}

function listAlerts(state: FakeState, params: URLSearchParams): Answer {
  const list = (name: string) => params.get(name)?.split(",") ?? [];
  const states = list("state");
  const severities = list("severity");
  const q = params.get("q")?.toLowerCase() ?? "";
  const found = state.alerts.filter(
    (alert) =>
      (states.length === 0 || states.includes(alert.state)) &&
      (severities.length === 0 || severities.includes(alert.severity)) &&
      (q === "" || JSON.stringify([alert.title, alert.summary, alert.entities, alert.attack]).toLowerCase().includes(q)) &&
      (params.get("rule") === null || alert.rule.id === params.get("rule")) &&
      (params.get("entity") === null || alert.entities.some((entity) => entity.id === params.get("entity"))),
  );
  const { items, cursor } = page(found, params);
  return ok({ alerts: items.map(withoutEvidence), cursor, total: found.length });
}

/** Applies one action; the changed alert, or why not. */
export function actOnAlert(state: FakeState, id: string, action: string, body: { note?: string; verdict?: Verdict }, now: string): Answer {
  const at = state.alerts.findIndex((alert) => alert.id === id);
  const alert = state.alerts[at];
  if (alert === undefined) return problem(404, "not_found", "There is no alert with this id.");
  const next = { acknowledge: "acknowledged", close: "closed", reopen: "open", notes: alert.state }[action];
  if (next === undefined) return problem(404, "not_found", "There is no such action.");
  if (action === "close" && body.verdict === undefined) return problem(400, "verdict_required", "A verdict is required to close an alert.");
  const from: { readonly [action: string]: readonly string[] } = {
    acknowledge: ["open"],
    close: ["open", "acknowledged"],
    reopen: ["closed"],
  };
  if (from[action]?.includes(alert.state) === false) return problem(409, "conflict", `The alert is ${alert.state}.`);
  const { verdict: _, ...rest } = alert;
  const what = { acknowledge: "acknowledged", close: "closed", reopen: "reopened", notes: "note" }[action]!;
  const change = {
    at: now,
    by: "admin",
    what,
    ...(body.note !== undefined && { note: body.note }),
    ...(body.verdict !== undefined && { verdict: body.verdict }),
  };
  const kept = action === "notes" ? alert : { ...rest, ...(action === "close" && { verdict: body.verdict! }) };
  const changed = { ...kept, state: next, updated: now, history: [...alert.history, change] } as Alert;
  state.alerts[at] = changed;
  return ok(changed);
}

function histogram(state: FakeState, params: URLSearchParams, now_ms: number): Answer {
  const found = filterEvents(state.events, params.get("q") ?? "", params.get("from"), params.get("to"));
  const oldest = found.at(-1);
  const from = Date.parse(params.get("from") ?? oldest?.time ?? stamp(now_ms - 3_600_000));
  const to = Date.parse(params.get("to") ?? stamp(now_ms));
  const width_ms = Math.max(1_000, Math.ceil((to - from) / Number(params.get("buckets") ?? 120) / 1_000) * 1_000);
  const counts = new Map<number, number>();
  for (const event of found) {
    const start = Math.floor(Date.parse(event.time) / width_ms) * width_ms;
    counts.set(start, (counts.get(start) ?? 0) + 1);
  }
  const buckets = [...counts].sort((a, b) => a[0] - b[0]).map(([start, count]) => ({ start: stamp(start), count }));
  const body: Histogram = { width_ms, from: stamp(from), to: stamp(to), total: found.length, buckets };
  return ok(body);
}

function readRule(state: FakeState, id: string): Answer {
  const rule = state.rules.find((one) => one.id === id);
  if (rule === undefined) return problem(404, "not_found", "There is no such rule.");
  const { decision } = rule;
  const history = decision === undefined ? [] : [{ ...decision, version: 2, what: "apply", state: rule.state }];
  return ok({ ...rule, description: `What ${rule.title} finds.`, falsepositives: [], references: [], response: [], hash: "h", history });
}

function readGuidance(state: FakeState, id: string): Answer {
  const alert = state.alerts.find((one) => one.id === id);
  if (alert === undefined) return problem(404, "not_found", "There is no alert with this id.");
  const verdicts = { true_positive: 0, benign: 0, false_positive: 0 };
  for (const { rule, verdict } of state.alerts) if (rule.id === alert.rule.id && verdict !== undefined) verdicts[verdict]++;
  return ok({
    description: `${alert.title}: it is rarely done by people who work here, and often by those who should not be.`,
    status: "test",
    response: ["Ask the owner whether it was they.", "If not, take the host out of service and keep its files."],
    falsepositives: ["A scanner of your own"],
    references: ["https://attack.mitre.org/"],
    verdicts,
  });
}

/** Decides on a rule, or goes back; as the server, a version each. */
export function actOnRules(
  state: FakeState,
  path: string,
  body: { reason?: string; state?: string; force?: boolean },
  now: string,
): Answer {
  const [, id = "", verb = ""] = /^\/rules\/(?:([^/]+)\/)?(\w+)$/.exec(path) ?? [];
  const rule = state.rules.find((one) => one.id === decodeURIComponent(id));
  if (body.reason === undefined) return problem(400, "bad_request", "reason: required");
  const version = state.versions.length + 1;
  if (verb === "promote" && rule?.missing !== undefined && rule.missing.length > 0 && !body.force)
    return ok({ version: version - 1, blocked: rule.missing.map((one) => `${rule.title}: ${one}`) });
  if (rule !== undefined) {
    const next = verb === "promote" ? "enabled" : body.state;
    const { missing: _, reason: __, ...rest } = rule;
    const decision = { by: "admin", at: now, reason: body.reason, changed: false };
    state.rules[state.rules.indexOf(rule)] = { ...rest, state: next as "enabled", decision };
  }
  for (const [at, one] of state.versions.entries()) state.versions[at] = { ...one, current: false };
  const what = verb === "rollback" ? "rollback" : "state";
  state.versions.unshift({
    number: version,
    at: now,
    program: "9f2c",
    rules: 49,
    what,
    by: "admin",
    reason: body.reason,
    ...(rule && { subject: rule.id }),
    current: true,
  });
  return ok({ version, blocked: [] });
}

/** Every address has a lease, every process a parent. */
function contextOf(state: FakeState, id: string): Answer {
  const event = state.events.find((one) => one.id === id);
  if (event === undefined) return problem(404, "not_found", "There is nothing with this id.");
  const address = event.fields["source.ip"];
  const name = event.fields["process.name"];
  const hidden = String(event.fields["message"] ?? "").includes("window.__xss");
  return ok({
    processes:
      name === undefined
        ? []
        : [
            { name: String(name), pid: "4711", started: event.time, event: event.id },
            { command_line: hidden ? String(event.fields["message"]) : "/usr/sbin/sshd -D", user: "root" },
          ],
    names:
      address === undefined
        ? []
        : [
            {
              address: String(address),
              name: "john-pc",
              by: "dhcp",
              mac: "08:00:27:7f:09:e1",
              at: event.time,
              until: event.time,
              event: event.id,
            },
          ],
  });
}

/** GET routes; undefined when there is none. */
export function read(state: FakeState, path: string, params: URLSearchParams, now_ms: number): Answer | undefined {
  const q = params.get("q") ?? "";
  const events = () => filterEvents(state.events, q, params.get("from"), params.get("to"));
  const one = /^\/(alerts|events)\/([^/]+)$/.exec(path);
  if (path !== "/events/histogram" && path !== "/events/top" && one !== null) {
    const id = decodeURIComponent(one[2]!);
    const found = one[1] === "alerts" ? state.alerts.find((alert) => alert.id === id) : state.events.find((event) => event.id === id);
    return found === undefined ? problem(404, "not_found", "There is nothing with this id.") : ok(found);
  }
  const context = /^\/events\/([^/]+)\/context$/.exec(path);
  if (context !== null) return contextOf(state, decodeURIComponent(context[1]!));
  const rule = /^\/rules\/([^/]+)$/.exec(path);
  if (rule !== null) return readRule(state, decodeURIComponent(rule[1]!));
  const guidance = /^\/alerts\/([^/]+)\/guidance$/.exec(path);
  if (guidance !== null) return readGuidance(state, decodeURIComponent(guidance[1]!));
  const check = checkQuery(q);
  if (!check.ok && ["/events", "/query", "/events/histogram", "/events/top"].includes(path))
    return problem(400, "bad_query", `${check.message} (position ${check.position + 1})`);
  switch (path) {
    case "/alerts":
      return listAlerts(state, params);
    case "/events": {
      const { items, cursor } = page(events(), params);
      return ok({ events: items, cursor });
    }
    case "/events/histogram":
      return histogram(state, params, now_ms);
    case "/events/top": {
      const field = params.get("field") ?? "";
      const values = countBy(events(), field);
      return ok({
        field,
        total: values.reduce((sum, { count }) => sum + count, 0),
        values: values.slice(0, Number(params.get("limit") ?? 10)),
      });
    }
    case "/query":
      return ok(runStats(events(), q));
    case "/query/check":
      return ok(check);
    case "/fields":
      return ok({ fields: [...new Set(state.events.slice(0, 400).flatMap((event) => Object.keys(event.fields)))].sort() });
    case "/sources":
      return ok({ sources: state.sources });
    case "/rules":
      return ok({ rules: state.rules, hash: "9f2c61d0e7ab44b1", version: state.versions[0]?.number ?? 1 });
    case "/rule-versions":
      return ok({ versions: state.versions });
    case "/audit": {
      const before = Number(params.get("cursor") ?? Number.POSITIVE_INFINITY);
      const [user, action, outcome] = ["user", "action", "outcome"].map((name) => params.get(name) ?? "");
      const fits = ({ fields = {} }: (typeof state.records)[number]) =>
        (user === "" || fields["user.name"] === user) &&
        (action === "" || String(fields["event.action"]).startsWith(action!.replace("*", ""))) &&
        (outcome === "" || fields["event.outcome"] === outcome);
      const { items } = page(
        state.records.filter((one) => one.n < before && fits(one)),
        params,
      );
      const last = items.at(-1);
      return ok({ records: items, newer: "0", ...(last !== undefined && last.n > 0 && { cursor: String(last.n) }) });
    }
    case "/dead": {
      const { items, cursor } = page(state.letters, params);
      return ok({ letters: items, cursor });
    }
    default:
      return readData(state, path, params);
  }
}
