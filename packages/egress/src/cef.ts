/** One line of ArcSight's Common Event Format (version 0) for anything that leaves. Everything in it is hostile text. */
import { type Outgoing, visible } from "@vedette/kit";
import { severityRank } from "./record/ecs.ts";

/** CEF key, ECS fields of which the first present is taken. Keys are those of the CEF dictionary; longer values than it allows are cut. */
const keys: readonly (readonly [key: string, from: readonly string[], longest: number])[] = [
  ["src", ["source.ip", "client.ip"], 45],
  ["spt", ["source.port", "client.port"], 5],
  ["shost", ["source.domain"], 1023],
  ["smac", ["source.mac"], 23],
  ["dst", ["destination.ip", "server.ip"], 45],
  ["dpt", ["destination.port", "server.port"], 5],
  ["dhost", ["destination.domain"], 1023],
  ["duser", ["user.target.name", "user.name"], 1023],
  ["duid", ["user.target.id", "user.id"], 1023],
  ["dproc", ["process.name", "process.executable"], 1023],
  ["dpid", ["process.pid"], 10],
  ["proto", ["network.transport"], 31],
  ["app", ["network.protocol"], 31],
  ["in", ["destination.bytes"], 20],
  ["out", ["source.bytes"], 20],
  ["act", ["event.action"], 63],
  ["outcome", ["event.outcome"], 63],
  ["reason", ["event.reason"], 1023],
  ["request", ["url.full", "url.original"], 1023],
  ["requestMethod", ["http.request.method"], 1023],
  ["requestClientApplication", ["user_agent.original"], 1023],
  ["fname", ["file.name"], 1023],
  ["filePath", ["file.path"], 1023],
  ["fileHash", ["file.hash.sha256", "process.hash.sha256"], 255],
  ["dvchost", ["host.name"], 255],
  ["dvc", ["host.ip"], 45],
  ["cat", ["event.dataset"], 1023],
  ["msg", ["message"], 1023],
];
/** Custom strings with their labels. */
const custom: readonly (readonly [key: string, label: string, from: string])[] = [
  ["cs1", "ruleId", "rule.id"],
  ["cs2", "attack", "threat.technique.id"],
  ["cs3", "state", "vedette.alert.state"],
  ["cs4", "commandLine", "process.command_line"],
  ["cs5", "alertId", "vedette.alert.id"],
  ["cs6", "job", "slurm.job.id"],
];
const longestCustom = 4_000;

const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
/** A header's part: no line break can be written in it. */
const header = (text: string): string => visible(text.slice(0, 512).replace(controls, " ")).replace(/[\\|]/g, (c) => `\\${c}`);
/** A value of the extension; line breaks are written, other control characters become blanks, hidden ones their escapes. */
const value = (text: string): string =>
  text
    .split(/(\r\n|[\r\n\u2028\u2029])/)
    .map((part, i) =>
      i % 2 === 0 ? visible(part.replace(controls, " ")).replace(/[\\=]/g, (c) => `\\${c}`) : part === "\r" ? "\\r" : "\\n",
    )
    .join("");

/** CEF counts severity 0 to 10. */
const severity = (one: Outgoing["severity"]): number => (one === "informational" ? 1 : severityRank(one) * 2);

export function toCef(record: Outgoing, version: string): string {
  const { fields } = record;
  const extension = [`rt=${Math.floor(record.time / 1_000)}`, `externalId=${value(record.id)}`];
  const text = (name: string): string | undefined => {
    const found = fields[name];
    if (found === undefined || found === null || (Array.isArray(found) && found.length === 0)) return undefined;
    return Array.isArray(found) ? found.join(", ") : String(found);
  };
  for (const [key, from, longest] of keys) {
    const name = from.find((one) => fields[one] !== undefined);
    const found = name === undefined ? undefined : firstOf(fields[name]);
    if (found !== undefined && found !== "") extension.push(`${key}=${value(found.slice(0, longest))}`);
  }
  for (const [key, label, from] of custom) {
    const found = text(from);
    if (found !== undefined) extension.push(`${key}Label=${label} ${key}=${value(found.slice(0, longestCustom))}`);
  }
  const id = fields["rule.id"] ?? fields["event.code"] ?? fields["event.action"] ?? record.kind;
  const head = ["CEF:0", "Vedette", "Vedette", header(version), header(String(id)), header(record.name), severity(record.severity)];
  return `${head.join("|")}|${extension.join(" ")}`;
}

function firstOf(found: unknown): string | undefined {
  const one = Array.isArray(found) ? found[0] : found;
  return one === undefined || one === null ? undefined : String(one);
}
