/** Hostile content for every field that can come from outside: what a browser would run or misread if anything were taken for markup. */
import type { Alert, AuditRecord, DeadLetter, EventRow, Rule, Source } from "../src/api/types.ts";
import { stamp } from "./events.ts";

/** Each sets `window.__xss` if it ever runs; the browser test looks for that. */
export const payloads: readonly string[] = [
  `<script>window.__xss=1</script>`,
  `<img src=x onerror="window.__xss=1">`,
  `"><svg onload=window.__xss=1>`,
  `javascript:window.__xss=1`,
  `{{constructor.constructor('window.__xss=1')()}}`,
  `';window.__xss=1;//`,
  `<iframe srcdoc="<script>parent.__xss=1</script>"></iframe>`,
];

/** Turned around by U+202E, hidden by zero-width and control characters. */
export const disguised = "invoice\u202egpj.exe\u200b\u0007\u001b[31m";

const all = `${payloads.join(" ")} ${disguised}`;

export function hostileEvent(now_ms: number): EventRow {
  return {
    id: `evt"><img src=x onerror=window.__xss=1>`,
    time: stamp(now_ms),
    received: stamp(now_ms),
    source: payloads[0]!,
    class: payloads[1]!,
    host: payloads[2]!,
    fields: {
      message: all,
      "event.dataset": payloads[1]!,
      "url.original": payloads[3]!,
      [payloads[2]!]: disguised,
      "process.command_line": `=cmd|' /C calc'!A0`,
    },
    original: all,
  };
}

export function hostileAlert(now_ms: number): Alert {
  const event = hostileEvent(now_ms);
  return {
    id: "hostile",
    severity: "critical",
    title: `${payloads[1]} ${disguised}`,
    summary: all,
    rule: { id: payloads[2]!, title: payloads[0]! },
    entities: [
      { type: payloads[1]!, id: payloads[3]! },
      { type: "host", id: all },
    ],
    attack: [payloads[3]!],
    count: 1,
    events: 1,
    first_seen: stamp(now_ms - 1_000),
    last_seen: stamp(now_ms),
    created: stamp(now_ms),
    updated: stamp(now_ms),
    state: "open",
    demo: false,
    evidence: [
      {
        id: event.id,
        time: event.time,
        source: event.source,
        matches: [{ clause: payloads[1]!, field: "message", value: all }],
        fields: event.fields,
        original: all,
      },
    ],
    history: [{ at: stamp(now_ms), by: payloads[0]!, what: payloads[1]!, note: all }],
  };
}

export const hostileRule: Rule = {
  id: payloads[2]!,
  title: payloads[1]!,
  level: "high",
  status: "test",
  author: payloads[0]!,
  state: "quarantined",
  file: `${payloads[0]}:3:1`,
  reason: all,
  attack: [payloads[3]!],
  seen: 0,
  matched: 1,
  capped: 1,
  skipped: { [payloads[1]!]: 1 },
  cost_ms: 5,
  decision: { by: payloads[1]!, at: "2026-11-20T06:30:00.000000Z", reason: all, owner: payloads[2]!, changed: true },
};

export function hostileSource(now_ms: number): Source {
  return {
    name: payloads[1]!,
    type: payloads[0]!,
    state: "failed",
    in: 4,
    stored: 1,
    dead: 1,
    dropped: { [payloads[1]!]: 1 },
    pending: 1,
    rate: 0,
    warnings: [{ at: stamp(now_ms), code: payloads[2]!, message: all }],
  };
}

export function hostileRecord(now_ms: number): AuditRecord {
  return {
    n: 120,
    time: stamp(now_ms),
    hash: payloads[2]!,
    fields: {
      "event.action": payloads[0]!,
      "event.outcome": payloads[1]!,
      "user.name": payloads[3]!,
      "source.ip": payloads[4]!,
      [payloads[5]!]: all,
      "vedette.audit.query": all,
    },
  };
}

export function hostileLetter(now_ms: number): DeadLetter {
  return {
    source: payloads[1]!,
    position: payloads[0]!,
    received: stamp(now_ms),
    stage: "decode",
    code: payloads[2]!,
    expected: all,
    bytes: Buffer.from(all).toString("base64"),
  };
}
