/** The one ordered consumer of findings: folds them into alerts, takes back what a rollback retracts, and commits with its offset. Knows no rule. */
import type { Clock } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Alert, Finding } from "@vedette/model";
import type { AlertStore } from "@vedette/store";
import { foldFinding, groupOf, retract } from "@vedette/triage";
import { goneBefore } from "./gap.ts";

/** What the batches of the findings topic hold. Stored format, docs/format/raw.md. */
export type FindingsBatch =
  /** `raw`, its `partition` (0 where absent) and `program` are those of the analysed batch; what the program itself has to say has none. */
  | { readonly raw?: number; readonly partition?: number; readonly program?: string; readonly findings: readonly Finding[] }
  | { readonly retract: Retraction };

/** Versions of rules whose findings are taken back. */
export interface Retraction {
  readonly rules: readonly (readonly [id: string, hash: string])[];
  readonly by: string;
  readonly reason: string;
}

export interface TriageOptions {
  readonly log: Log;
  readonly alerts: AlertStore;
  readonly clock: Clock;
  /** Was a finding of this program and raw batch taken back already? It may come after the retraction: analysis runs behind. */
  readonly retracted?: (program: string, rule: Finding["rule"], raw: number) => boolean;
  /** Alerts that people work on; shadow and historical ones are not among them. */
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  readonly onProblem?: (code: string, message: string | undefined) => void;
  /** The alert that a canary's finding would have been, where it can be made; it is kept nowhere. */
  readonly onCanary?: (nonce: string, alert: Alert | undefined) => void;
}

const readBytes = 1_048_576;
const keepFindingBytes = 268_435_456;
/** Somebody works on the very alerts that grow, again and again: then triage waits a moment before the next try. */
const maxConflicts = 3;
/** Alerts rewritten in one transaction while findings are taken back. */
const retractedAtOnce = 500;

export async function runTriage(options: TriageOptions, signal: AbortSignal): Promise<void> {
  const { log, alerts, clock, onProblem } = options;
  /** As the store has it; undefined where it has to be asked. */
  let folded: number | undefined;
  let delay_ms = 50;
  while (!signal.aborted) {
    try {
      folded ??= await alerts.offset();
      let next = folded;
      const entries = await log.read("findings", 0, next, readBytes);
      if (entries.length === 0) {
        await log.wait("findings", 0, next, signal);
        continue;
      }
      const gone = goneBefore("findings/0", next, entries);
      if (gone) onProblem?.("log_gap", gone.message);
      let findings: Finding[] = [];
      const fold = async () => {
        if (findings.length > 0) notify(options, await foldAll(alerts, findings, next, clock.now()));
        findings = [];
      };
      for (const entry of entries) {
        if (!("bytes" in entry)) onProblem?.("log_damaged", `findings batch ${entry.offset}: ${entry.damaged}`);
        else {
          const batch = JSON.parse(Buffer.from(entry.bytes).toString()) as FindingsBatch;
          if ("retract" in batch) {
            await fold();
            notify(options, await takeBack(alerts, batch.retract, next, clock.now()));
          } else findings.push(...standing(batch, options));
        }
        next = entry.offset + 1;
      }
      if (findings.length > 0) await fold();
      else await alerts.fold(next, [], []);
      folded = next;
      delay_ms = 50;
      onProblem?.("triage_blocked", undefined);
      await log.retain("findings", 0, next, keepFindingBytes);
    } catch (e) {
      if ((e as { code?: string }).code === "log_closed") return;
      onProblem?.("triage_blocked", (e as Error).message);
      // what was to be written may have been, or not
      folded = undefined;
      await clock.sleep(delay_ms, signal);
      delay_ms = Math.min(delay_ms * 2, 5_000);
    }
  }
  // another triages now, or nobody
  onProblem?.("triage_blocked", undefined);
}

function notify({ onAlerts }: TriageOptions, alerts: readonly Alert[]): void {
  const shown = alerts.filter((alert) => !alert.shadow && !alert.historical);
  if (shown.length > 0) onAlerts(shown);
}

function standing(
  batch: Exclude<FindingsBatch, { retract: Retraction }>,
  { retracted, onCanary, clock }: TriageOptions,
): readonly Finding[] {
  const { raw, program } = batch;
  const findings = batch.findings.filter((finding) => {
    if (finding.canary !== undefined) onCanary?.(finding.canary, alertOf(finding, clock.now()));
    return finding.canary === undefined;
  });
  if (retracted === undefined || raw === undefined || program === undefined) return findings;
  return findings.filter((finding) => finding.shadow || !retracted(program, finding.rule, raw));
}

function alertOf(finding: Finding, now: number): Alert | undefined {
  try {
    return foldFinding(undefined, finding, undefined, now);
  } catch {
    return undefined;
  }
}

/** Again where a person changed one of the alerts between reading and writing: neither's change is lost. */
async function foldAll(store: AlertStore, findings: readonly Finding[], offset: number, now: number): Promise<readonly Alert[]> {
  for (let tries = 0; ; tries++) {
    try {
      return await foldOnce(store, findings, offset, now);
    } catch (e) {
      if ((e as { code?: string }).code !== "conflict" || tries >= maxConflicts) throw e;
    }
  }
}

async function foldOnce(store: AlertStore, findings: readonly Finding[], offset: number, now: number): Promise<readonly Alert[]> {
  const groups = new Map(await store.byGroup([...new Set(findings.map(groupOf))]));
  const seen = new Map(await store.seen([...new Set(findings.map((f) => f.id))]));
  const was = new Map([...groups.values()].map(({ id, updated }) => [id, updated]));
  const changed = new Map<string, { readonly group: string; readonly alert: Alert; readonly was?: number }>();
  const folded = new Map<string, { id: string; alert: string; revision: number; events: number }>();
  for (const finding of findings) {
    const group = groupOf(finding);
    const before = seen.get(finding.id);
    if (before && before.revision >= finding.revision) continue;
    const open = groups.get(group);
    // the alert this finding belongs to was closed meanwhile: what only amends it opens no new one
    if ((before || finding.withdrawn) && !open) continue;
    if (finding.withdrawn && !before) continue;
    const alert = foldFinding(open, finding, before, now);
    // one that lost all its findings takes no more
    if (alert.state === "closed") groups.delete(group);
    else groups.set(group, alert);
    const read = was.get(alert.id);
    changed.set(alert.id, { group, alert, ...(read !== undefined && { was: read }) });
    const record = { id: finding.id, alert: alert.id, revision: finding.revision, events: finding.withdrawn ? 0 : finding.count };
    seen.set(finding.id, record);
    folded.set(finding.id, record);
  }
  await store.fold(offset, [...changed.values()], [...folded.values()]);
  return [...changed.values()].map(({ alert }) => alert);
}

/** Done again after a crash it changes nothing: an alert that holds none of the versions any more stays as it is. */
async function takeBack(store: AlertStore, { rules, by, reason }: Retraction, offset: number, now: number): Promise<readonly Alert[]> {
  const hashes = new Map<string, Set<string>>();
  for (const [id, hash] of rules) hashes.set(id, (hashes.get(id) ?? new Set()).add(hash));
  const all: Alert[] = [];
  for (const [rule, versions] of hashes) {
    for (let after: string | undefined = ""; after !== undefined; ) {
      const page: Awaited<ReturnType<AlertStore["ofRule"]>> = await store.ofRule(rule, retractedAtOnce, after);
      const changed = page.flatMap(({ group, alert }) => {
        // what a rule on trial found bothers nobody and stays what it was
        const left = alert.shadow ? alert : retract(alert, versions, by, reason, now);
        return left === alert ? [] : [{ group, alert: left, was: alert.updated }];
      });
      if (changed.length > 0) await store.fold(offset, changed, []);
      all.push(...changed.map(({ alert }) => alert));
      after = page.length < retractedAtOnce ? undefined : page.at(-1)!.alert.id;
    }
  }
  return all;
}
