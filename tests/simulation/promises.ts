/** What must hold at the end of every simulated run, whatever went wrong in it. Knows no fault. */
import type { Alert, Finding } from "@vedette/model";
import { digestOf } from "@vedette/pipeline";
import { foldFinding, groupOf } from "@vedette/triage";
import { left as leftOf } from "../../packages/pipeline/src/keyed/runs.fixture.ts";
import type { FindingsBatch } from "../../packages/pipeline/src/triage_runner.ts";
import type { Ended } from "./ended.ts";
import { numberOf } from "./input.ts";

/** What a run came to, for another to be compared with. */
export interface Outcome {
  readonly digest: string;
  readonly findings: number;
  readonly alerts: string;
}

/** @returns what it came to, and every promise that did not hold */
export async function judged(run: Ended): Promise<Outcome & { readonly broken: readonly string[] }> {
  const broken: string[] = [];
  const damage = await run.log.damage();
  const lost = damage.length > 0 ? ` (log damage: ${damage.map(({ where, reason }) => `${where} ${reason}`).join("; ")})` : "";
  const demand = (holds: boolean, what: string) => {
    if (!holds) broken.push(what + lost);
  };
  const { accepted } = run.heard;
  demand(accepted.size === run.input.lines, `senders came through with ${accepted.size} of ${run.input.lines} lines`);
  const shown = run.events.shown.map(({ original }) => numberOf(original));
  const missing = [...accepted].filter((number) => !shown.includes(number));
  demand(missing.length === 0, `accepted and lost: lines ${missing.join(" ")}`);
  const twice = shown.filter((number, at) => shown.indexOf(number) !== at);
  demand(twice.length === 0, `shown twice: lines ${twice.join(" ")}`);
  for (const runtime of run.runtimes) {
    const { ready, problems } = await runtime.ready();
    // a torn write that nobody was told of may burn its offset: that stays said
    const left = problems.filter(({ code }) => code !== "log_damaged");
    demand(ready && left.length === 0, `not ready at the end: ${problems.map(({ code, message }) => `${code} ${message}`).join("; ")}`);
  }
  for (const line of await run.runtimes[0]!.ledger())
    demand(line.balance === 0 && line.pending === 0, `the ledger of ${line.name} does not balance: ${JSON.stringify(line)}`);
  const findings = await told(run);
  const alerts = (await run.state.alerts.list({ tenant: "main" }, 1_000)).alerts;
  demand(sums(alerts) === sums(folded(findings)), `alerts are not what findings come to:\n${sums(alerts)}\n${sums(folded(findings))}`);
  const standing = leftOf(findings);
  const open = standing.filter(({ canonical }) => !canonical);
  demand(open.length === 0, `findings that never became final: ${open.map(({ id, rule }) => `${rule.id} ${id}`).join(", ")}`);
  return { ...digestOf(standing), alerts: sums(alerts), broken };
}

/** Every finding of the findings topic, in its order. */
async function told({ log }: Ended): Promise<readonly Finding[]> {
  const { start, end } = await log.bounds("findings", 0);
  const findings: Finding[] = [];
  for (let at = start; at < end; ) {
    for (const entry of await log.read("findings", 0, at, 1_000_000)) {
      at = entry.offset + 1;
      if (!("bytes" in entry)) continue;
      const batch = JSON.parse(Buffer.from(entry.bytes).toString()) as FindingsBatch;
      if ("findings" in batch) findings.push(...batch.findings);
    }
  }
  return findings;
}

/** The alerts that findings come to when each is folded in once. */
function folded(findings: readonly Finding[]): readonly Alert[] {
  const groups = new Map<string, Alert>();
  const seen = new Map<string, { revision: number; events: number }>();
  const closed: Alert[] = [];
  for (const finding of findings) {
    const group = groupOf(finding);
    const before = seen.get(finding.id);
    const alert = groups.get(group);
    if (before && before.revision >= finding.revision) continue;
    if ((before || finding.withdrawn) && !alert) continue;
    if (finding.withdrawn && !before) continue;
    const after = foldFinding(alert, finding, before, 0);
    if (after.state === "closed") {
      closed.push(after);
      groups.delete(group);
    } else groups.set(group, after);
    seen.set(finding.id, { revision: finding.revision, events: finding.withdrawn ? 0 : finding.count });
  }
  return [...closed, ...groups.values()];
}

const sums = (alerts: readonly Alert[]): string =>
  alerts
    .filter(({ state }) => state !== "closed")
    .map(({ rule, entities, severity, count, events, first_seen, last_seen }) =>
      JSON.stringify([rule.id, entities.map(({ id }) => id), severity, count, events, first_seen, last_seen]),
    )
    .sort()
    .join("\n");
