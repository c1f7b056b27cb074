/** The one ordered consumer of findings: folds them into alerts and commits those with its offset. Knows no rule. */
import type { Clock } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Alert, Finding } from "@vedette/model";
import type { AlertStore } from "@vedette/store";
import { foldFinding, groupOf } from "@vedette/triage";

export interface TriageOptions {
  readonly log: Log;
  readonly alerts: AlertStore;
  readonly clock: Clock;
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  readonly onProblem?: (code: string, message: string | undefined) => void;
}

const readBytes = 1_048_576;
const keepFindingBytes = 268_435_456;

export async function runTriage({ log, alerts, clock, onAlerts, onProblem }: TriageOptions, signal: AbortSignal): Promise<void> {
  let next = await alerts.offset();
  let delay_ms = 50;
  while (!signal.aborted) {
    try {
      const entries = await log.read("findings", 0, next, readBytes);
      if (entries.length === 0) {
        await log.wait("findings", 0, next, signal);
        continue;
      }
      const findings: Finding[] = [];
      for (const entry of entries) {
        if ("bytes" in entry) findings.push(...(JSON.parse(Buffer.from(entry.bytes).toString()) as { findings: Finding[] }).findings);
        else onProblem?.("log_damaged", `findings batch ${entry.offset}: ${entry.damaged}`);
      }
      const last = entries.at(-1)!.offset;
      onAlerts(await foldAll(alerts, findings, last + 1, clock.now()));
      next = last + 1;
      delay_ms = 50;
      onProblem?.("triage_blocked", undefined);
      await log.retain("findings", 0, next, keepFindingBytes);
    } catch (e) {
      if ((e as { code?: string }).code === "log_closed") return;
      onProblem?.("triage_blocked", (e as Error).message);
      await clock.sleep(delay_ms, signal);
      delay_ms = Math.min(delay_ms * 2, 5_000);
    }
  }
}

async function foldAll(store: AlertStore, findings: readonly Finding[], offset: number, now: number): Promise<readonly Alert[]> {
  const groups = new Map(await store.byGroup([...new Set(findings.map(groupOf))]));
  const seen = new Map(await store.seen([...new Set(findings.map((f) => f.id))]));
  const changed = new Map<string, Alert>();
  const folded = new Map<string, { id: string; alert: string; revision: number; events: number }>();
  for (const finding of findings) {
    const group = groupOf(finding);
    const before = seen.get(finding.id);
    if (before && before.revision >= finding.revision) continue;
    const open = groups.get(group);
    // the alert this finding belongs to was closed meanwhile: what only amends it opens no new one
    if (before && !open) continue;
    const alert = foldFinding(open, finding, before, now);
    groups.set(group, alert);
    changed.set(group, alert);
    const record = { id: finding.id, alert: alert.id, revision: finding.revision, events: finding.count };
    seen.set(finding.id, record);
    folded.set(finding.id, record);
  }
  await store.fold(
    offset,
    [...changed].map(([group, alert]) => ({ group, alert })),
    [...folded.values()],
  );
  return [...changed.values()];
}
