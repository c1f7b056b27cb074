/** Alerts against the truth of a simulation: what was found, what was missed, what cried wolf. Knows no detector and no server. */
import type { IncidentTruth, SimulationTruth } from "./truth.ts";

/** What is scored: an alert of the API, or a line of `scan -o ndjson`. */
export interface Claim {
  readonly rule: string;
  readonly title: string;
  readonly severity: string;
  /** Milliseconds. */
  readonly first: number;
  readonly last: number;
  readonly entities: readonly { readonly type: string; readonly id: string }[];
  /** Where its record stands, for a finding of a scan. */
  readonly file?: string;
  readonly record?: number;
}

export interface Score {
  readonly simulated: true;
  readonly days: number;
  readonly jobs: number;
  readonly alerts: number;
  readonly alerts_per_day: number;
  readonly true_alerts: number;
  readonly false_alerts: number;
  readonly false_per_day: number;
  readonly false_per_10000_jobs: number;
  readonly recall: number;
  readonly scenarios: readonly {
    readonly scenario: string;
    readonly played: number;
    readonly found: number;
    readonly recall: number;
    readonly first_alert_s: number | undefined;
    readonly rules: readonly string[];
  }[];
  readonly rules: readonly {
    readonly rule: string;
    readonly title: string;
    readonly severity: string;
    readonly true: number;
    readonly false: number;
    readonly false_per_day: number;
  }[];
}

/** A detector may speak this long after the last record: windows close, jobs are accounted for. */
const afterwards = 2 * 3_600_000;
/** Clocks of nodes are a little off. */
const before = 60_000;

/** What the incident is about, by which an alert may name it. */
class Target {
  readonly incident: IncidentTruth;
  readonly from: number;
  readonly to: number;
  readonly #names: ReadonlySet<string>;
  readonly #lines: ReadonlyMap<string, readonly (readonly [number, number])[]>;

  constructor(incident: IncidentTruth) {
    this.incident = incident;
    this.from = Date.parse(incident.start) - before;
    this.to = Date.parse(incident.end) + afterwards;
    const { user, uid, jobs, addresses, nodes } = incident;
    this.#names = new Set([...(user === undefined ? [] : [user, String(uid)]), ...jobs.map(String), ...addresses, ...nodes]);
    this.#lines = new Map(incident.records.map((place) => [place.file, place.lines]));
  }

  meant(claim: Claim): boolean {
    if (claim.file !== undefined && claim.record !== undefined) {
      const record = claim.record;
      for (const [file, lines] of this.#lines)
        if ((claim.file === file || claim.file.endsWith(`/${file}`)) && lines.some(([from, to]) => record >= from && record <= to))
          return true;
    }
    return claim.last >= this.from && claim.first <= this.to && claim.entities.some(({ id }) => this.#names.has(id));
  }
}

export function score(head: SimulationTruth, incidents: readonly IncidentTruth[], claims: readonly Claim[]): Score {
  const targets = incidents.map((one) => new Target(one));
  const found = new Map<string, { first: number; rules: Set<string> }>();
  const rules = new Map<string, { title: string; severity: string; true: number; false: number }>();
  let right = 0;
  for (const claim of claims) {
    const meant = targets.filter((target) => target.meant(claim));
    // one that is expected to stay quiet makes what it raises false
    const due = meant.filter(({ incident }) => incident.expected.alert);
    for (const { incident } of due) {
      const known = found.get(incident.id) ?? { first: Number.POSITIVE_INFINITY, rules: new Set() };
      known.first = Math.min(known.first, claim.first);
      known.rules.add(claim.rule);
      found.set(incident.id, known);
    }
    const rule = rules.get(claim.rule) ?? { title: claim.title, severity: claim.severity, true: 0, false: 0 };
    if (due.length > 0) {
      right++;
      rule.true++;
    } else rule.false++;
    rules.set(claim.rule, rule);
  }
  const due = incidents.filter((one) => one.expected.alert);
  const days = (Date.parse(head.end) - Date.parse(head.start)) / 86_400_000;
  const wrong = claims.length - right;
  return {
    simulated: true,
    days,
    jobs: head.jobs,
    alerts: claims.length,
    alerts_per_day: claims.length / days,
    true_alerts: right,
    false_alerts: wrong,
    false_per_day: wrong / days,
    false_per_10000_jobs: head.jobs === 0 ? 0 : (wrong * 10_000) / head.jobs,
    recall: due.length === 0 ? 1 : due.filter((one) => found.has(one.id)).length / due.length,
    scenarios: byScenario(due, found),
    rules: [...rules]
      .map(([rule, r]) => ({ rule, title: r.title, severity: r.severity, true: r.true, false: r.false, false_per_day: r.false / days }))
      .sort((a, b) => b.false - a.false || b.true - a.true),
  };
}

function byScenario(
  incidents: readonly IncidentTruth[],
  found: ReadonlyMap<string, { readonly first: number; readonly rules: ReadonlySet<string> }>,
): Score["scenarios"] {
  const names = [...new Set(incidents.map((one) => one.scenario))].sort();
  return names.map((scenario) => {
    const played = incidents.filter((one) => one.scenario === scenario);
    const hits = played.flatMap((one) => {
      const hit = found.get(one.id);
      return hit === undefined ? [] : [{ after: Math.max(0, hit.first - Date.parse(one.start)) / 1_000, rules: hit.rules }];
    });
    return {
      scenario,
      played: played.length,
      found: hits.length,
      recall: hits.length / played.length,
      first_alert_s: hits.length === 0 ? undefined : Math.round(Math.min(...hits.map((hit) => hit.after))),
      rules: [...new Set(hits.flatMap((hit) => [...hit.rules]))].sort(),
    };
  });
}
