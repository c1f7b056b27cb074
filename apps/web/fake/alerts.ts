/** Made-up alerts in the shapes of the API, with evidence and history. */
import type { Alert, AlertState, EvidenceEvent, Severity } from "../src/api/types.ts";
import { makeEvent, stamp } from "./events.ts";
import { seeded } from "./seeded.ts";

interface Kind {
  readonly title: string;
  readonly severity: Severity;
  readonly rule: string;
  readonly attack: readonly string[];
  readonly dataset: string;
  readonly clause: string;
  readonly field: string;
  readonly summary: string;
  readonly entity: string;
}

const kinds: readonly Kind[] = [
  {
    title: "SSH brute force followed by a login",
    severity: "critical",
    rule: "ssh_brute_force",
    attack: ["T1110.001", "T1078"],
    dataset: "sshd",
    clause: "failures",
    field: "source.ip",
    summary: "63 failed logins from one address within 5 minutes, then a success",
    entity: "source.ip",
  },
  {
    title: "Connection to a mining pool",
    severity: "high",
    rule: "mining_pool_connection",
    attack: ["T1496"],
    dataset: "zeek.conn",
    clause: "selection_port",
    field: "destination.port",
    summary: "A compute node talks to port 3333 outside the cluster",
    entity: "source.ip",
  },
  {
    title: "Path traversal in a web request",
    severity: "medium",
    rule: "web_path_traversal",
    attack: ["T1190"],
    dataset: "nginx.access",
    clause: "selection_path",
    field: "url.original",
    summary: "A request tries to leave the web root",
    entity: "source.ip",
  },
  {
    title: "Miner process in a batch job",
    severity: "high",
    rule: "proc_miner_by_name",
    attack: ["T1496"],
    dataset: "tetragon.exec",
    clause: "selection_img",
    field: "process.name",
    summary: "A process with the name of a known miner was started by a job",
    entity: "host",
  },
  {
    title: "Special privileges assigned to new logon",
    severity: "low",
    rule: "win_special_logon",
    attack: ["T1078.002"],
    dataset: "windows.security",
    clause: "selection",
    field: "event.code",
    summary: "An account with administrative rights logged on",
    entity: "user",
  },
  {
    title: "Script fetched from a bare address",
    severity: "informational",
    rule: "curl_from_ip",
    attack: [],
    dataset: "tetragon.exec",
    clause: "selection_cli",
    field: "process.command_line",
    summary: "curl fetched a shell script from an address without a name",
    entity: "host",
  },
];

const entity_fields: { readonly [type: string]: string } = { "source.ip": "source.ip", host: "host.name", user: "user.name" };

function evidence(kind: Kind, count: number, first_ms: number, last_ms: number, seed: number): EvidenceEvent[] {
  const random = seeded(seed);
  const found: EvidenceEvent[] = [];
  for (let tries = 0; found.length < count && tries < 4_000; tries += 1) {
    const ms = first_ms + Math.floor(((last_ms - first_ms) * found.length) / Math.max(1, count - 1));
    const event = makeEvent(`ev${seed}x${tries}`, ms, random);
    if (event.fields["event.dataset"] !== kind.dataset) continue;
    if (kind.dataset === "zeek.conn" && event.fields["destination.port"] !== 3333) continue;
    if (kind.rule === "proc_miner_by_name" && event.fields["process.name"] !== "xmrig") continue;
    if (kind.rule === "curl_from_ip" && event.fields["process.name"] !== "curl") continue;
    if (kind.rule === "web_path_traversal" && !String(event.fields["url.original"]).includes("..")) continue;
    const matches = [{ clause: kind.clause, field: kind.field, value: String(event.fields[kind.field]) }];
    if (kind.rule === "ssh_brute_force")
      matches.push({ clause: "outcome", field: "event.outcome", value: String(event.fields["event.outcome"]) });
    found.push({ id: event.id, time: event.time, source: event.source, matches, fields: event.fields, original: event.original });
  }
  return found;
}

export function makeAlert(at: number, now_ms: number, state: AlertState, age_ms: number): Alert {
  const kind = kinds[at % kinds.length]!;
  const last_ms = now_ms - age_ms;
  const first_ms = last_ms - 40_000 - at * 7_000;
  const kept = evidence(kind, Math.min(10, 2 + (at % 9)), first_ms, last_ms, 1_000 + at);
  const entities = [{ type: kind.entity, id: String(kept[0]?.fields[entity_fields[kind.entity]!] ?? "unknown") }];
  const user = kept[0]?.fields["user.name"];
  if (kind.entity !== "user" && typeof user === "string") entities.push({ type: "user", id: user });
  const history = [{ at: stamp(last_ms - 1_000), by: "vedette", what: "opened" }];
  return {
    id: `alert-${String(at).padStart(4, "0")}`,
    severity: kind.severity,
    title: kind.title,
    summary: kind.summary,
    rule: { id: kind.rule, title: kind.title },
    entities,
    attack: kind.attack,
    count: 1 + (at % 5) * 3,
    events: kept.length + (at % 4) * 17,
    first_seen: stamp(first_ms),
    last_seen: stamp(last_ms),
    created: stamp(first_ms),
    updated: stamp(last_ms),
    state,
    ...(state === "closed" && { verdict: "benign" as const }),
    demo: at % 3 === 0,
    evidence: kept,
    history:
      state === "open"
        ? history
        : [
            ...history,
            {
              at: stamp(last_ms + 30_000),
              by: "admin",
              what: state,
              note: "Known maintenance window",
              ...(state === "closed" && { verdict: "benign" as const }),
            },
          ],
  };
}

export function makeAlerts(count: number, now_ms: number): Alert[] {
  return Array.from({ length: count }, (_, at) =>
    makeAlert(at, now_ms, at % 7 === 5 ? "acknowledged" : at % 7 === 6 ? "closed" : "open", 20_000 + at * 140_000),
  );
}
