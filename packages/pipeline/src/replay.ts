/** Runs both passes again over the retained raw log and sums up what they find: the same log and programs always give the same digest. */
import { contentHash } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Finding } from "@vedette/model";
import { groupOf } from "@vedette/triage";
import { keyedDetectors } from "./analyse.ts";
import type { Job } from "./analysis.ts";
import { programOf } from "./batch.ts";
import { CanaryGate, type CanaryKey } from "./canary/mark.ts";
import type { Control } from "./control.ts";
import type { Pool } from "./pool.ts";
import type { Program } from "./program.ts";
import { Timelines } from "./timelines.ts";
import { Watermarks } from "./watermarks.ts";

export interface Replayed {
  /** SHA-256 over canonical findings and their grouping, as sorted sets without ids; docs/format/raw.md. */
  readonly digest: string;
  readonly batches: number;
  readonly events: number;
  readonly findings: number;
  readonly groups: number;
  /** Raw batches that no longer read. */
  readonly damaged: number;
}

export interface ReplayOptions {
  readonly log: Log;
  readonly control: Control;
  readonly pool: Pool;
  /** Bytes of raw batches a job holds: changes nothing in the answer. */
  readonly jobBytes?: number;
  readonly onProgress?: (done: number, total: number) => void;
  /** By which canaries are known, and left out. */
  readonly canaryKey?: CanaryKey;
}

export async function replay({ log, control, pool, jobBytes = 1_048_576, onProgress, canaryKey }: ReplayOptions): Promise<Replayed> {
  const { start, end } = await log.bounds("raw", 0);
  const watermarks = new Watermarks();
  const gate = new CanaryGate(canaryKey);
  const found = new Map<string, Finding>();
  let keyed: Timelines | undefined;
  let current: Program | undefined;
  let events = 0;
  let damaged = 0;
  const keep = (f: Finding) => {
    if (f.supersedes !== undefined) found.delete(f.supersedes);
    if (f.withdrawn) found.delete(f.id);
    else found.set(f.id, f);
  };
  const finish = async (job: Job, program: Program) => {
    if (program !== current || !keyed) {
      const detectors = await keyedDetectors(program);
      if (keyed) keyed.adopt(detectors);
      else keyed = new Timelines(detectors, watermarks, new Watermarks());
      current = program;
    }
    const result = await pool.run(job, program);
    damaged += result.damaged.length;
    events += Object.values(result.sources).reduce((n, s) => n + s.stored, 0);
    for (const f of result.findings) keep(f);
    for (const f of keyed.take(result.keyed)) keep(f);
  };
  let program: Program | undefined;
  for (let at = start; at < end; ) {
    const entries = await log.read("raw", 0, at, jobBytes);
    if (entries.length === 0) break;
    let group: { offset: number; bytes: Uint8Array }[] = [];
    for (const entry of entries) {
      at = entry.offset + 1;
      if (!("bytes" in entry)) {
        damaged++;
        continue;
      }
      if (typeof gate.admit(entry.offset, entry.bytes) === "object") continue;
      const hash = programOf(entry.bytes);
      const wanted = hash === undefined ? program : (control.program(hash) ?? program);
      if (wanted !== program && group.length > 0 && program) {
        await finish({ entries: group, sample: false, store: false }, program);
        group = [];
      }
      program = wanted;
      group.push({ offset: entry.offset, bytes: entry.bytes });
    }
    if (group.length > 0 && program) await finish({ entries: group, sample: false, store: false }, program);
    onProgress?.(at - start, end - start);
  }
  for (const f of keyed?.finalise(Number.POSITIVE_INFINITY) ?? []) keep(f);
  return { ...digestOf([...found.values()]), batches: end - start, events, damaged };
}

/** What a run found comes to, whoever ran it. */
export function digestOf(findings: readonly Finding[]): Pick<Replayed, "digest" | "findings" | "groups"> {
  const canonical = findings.filter((f) => f.canonical);
  const groups = new Map<string, Set<string>>();
  for (const f of canonical) {
    const members = groups.get(groupOf(f)) ?? new Set();
    members.add(shape(f));
    groups.set(groupOf(f), members);
  }
  const digest = contentHash(JSON.stringify([canonical.map(shape).sort(), [...groups.values()].map((m) => [...m].sort()).sort()]));
  return { digest, findings: canonical.length, groups: groups.size };
}

const shape = (f: Finding): string =>
  JSON.stringify([f.rule.id, f.rule.hash, f.key, f.window.start, f.window.end, f.severity, [...f.events].sort()]);
