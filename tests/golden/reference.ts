/** What other people's parsers read from the same lines, against what we read: agreement by data set, with every disagreement at hand. Knows no floor. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Decoded } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { detectFormat, formats } from "@vedette/normalise";
import { readJsonLines, sharedSet } from "../../packages/normalise/src/shared_sets.test.data.ts";

/** Asked values and how many of them we read the same. */
export class Agreement {
  asked = 0;
  agreed = 0;
  readonly disagreements: string[] = [];

  compare(what: string, wanted: unknown, got: unknown, where: string): void {
    this.asked++;
    if (same(wanted, got)) this.agreed++;
    else this.disagreements.push(`${what}: wanted ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}: ${where.slice(0, 300)}`);
  }
  get share(): number {
    return this.asked === 0 ? 0 : this.agreed / this.asked;
  }
}

/** One value and a list of that one value say the same; numbers may come as text. */
function same(wanted: unknown, got: unknown): boolean {
  const list = (value: unknown) => (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((one) => String(one)).sort();
  return JSON.stringify(list(wanted)) === JSON.stringify(list(got));
}

export interface Read {
  readonly format: string;
  readonly time: number | undefined;
  readonly fields: Fields;
}

/** Lines of one stream as production reads them: the format detected from the first, then each by it. A line that is refused has no fields. */
export async function readLines(
  lines: readonly string[],
  stream: string,
  received: number,
  fixed?: string,
  config: object = {},
): Promise<Read[]> {
  const known = await formats();
  const format = fixed ?? detectFormat(known, lines.slice(0, 32), undefined, stream);
  const spec = known.get(format)!;
  const decode = spec.decoder(spec.config.parse(config));
  return lines.map((line) => {
    const result = decode(line, { preamble: undefined, received, peer: undefined, source: "test", stream });
    const one = (Array.isArray(result) ? result[0] : result) as Decoded;
    return "fields" in one ? { format, time: one.time, fields: one.fields } : { format, time: undefined, fields: {} };
  });
}

const flat = (value: object, prefix = "", out: { [path: string]: unknown } = {}): { [path: string]: unknown } => {
  for (const [key, one] of Object.entries(value)) {
    if (typeof one === "object" && one !== null && !Array.isArray(one)) flat(one as object, `${prefix}${key}.`, out);
    else out[prefix + key] = one;
  }
  return out;
};

/** What an analyst or a rule looks at; the rest of Elastic's documents are their own names (`cisco.asa.*`, `source.address`, `event.timezone`). */
const keys =
  /^(?:@timestamp|(?:source|destination)\.(?:ip|port|bytes|domain|nat\.ip)|event\.(?:action|category|outcome|code|reason|duration)|user\.(?:name|effective\.name|target\.name)|group\.name|network\.(?:transport|direction|bytes)|http\.(?:request\.method|request\.referrer|response\.status_code|response\.body\.bytes|version)|url\.(?:original|path|query|domain|scheme)|user_agent\.original|process\.(?:name|pid)|host\.hostname|message|log\.level|tls\.cipher|observer\.(?:ingress|egress)\.interface\.name|email\.from\.address)$/;

interface ElasticCase {
  readonly case_id: string;
  readonly package: string;
  readonly data_stream: string;
  readonly input_raw?: string;
  readonly input_events?: readonly object[];
  readonly expected: readonly (object | null)[];
}

/** Elastic keeps the name of a firewall's user under the end it belongs to, and its group too. */
const aliases: { readonly [field: string]: string } = { "source.user.name": "user.name", "source.user.group.name": "group.name" };

/** Elastic's own pipelines' documents, field by field, by package. */
export async function elasticPackage(packages: readonly string[]): Promise<Map<string, Agreement>> {
  const found = new Map<string, Agreement>();
  for (const one of readJsonLines(join(sharedSet("elastic-package")!, "cases.jsonl.gz")) as ElasticCase[]) {
    const name = `${one.package}/${one.data_stream}`;
    if (!packages.includes(name)) continue;
    // A document names the record it was made of; messages of several lines were joined by the sender.
    const originals = one.expected.map(
      (document) => (document as { readonly event?: { readonly original?: string } } | null)?.event?.original,
    );
    const raw = one.input_raw?.split(/\n(?!\s)/).filter((line) => line.trim() !== "") ?? one.input_events!.map((e) => JSON.stringify(e));
    const lines = originals.every((text) => text !== undefined) ? originals : raw;
    if (lines.length !== one.expected.length) continue;
    const agreement = found.get(name) ?? new Agreement();
    found.set(name, agreement);
    const year = /"@timestamp":"(\d{4})/.exec(JSON.stringify(one.expected))?.[1] ?? "2024";
    const reads = await readLines(lines, one.case_id, Date.UTC(Number(year), 11, 31) * 1_000);
    one.expected.forEach((document, i) => {
      if (document === null) return;
      for (const [path, wanted] of Object.entries(flat(document))) {
        const field = aliases[path] ?? path;
        if (keys.test(field)) compareField(agreement, field, wanted, reads[i]!, lines[i]!);
      }
    });
  }
  return found;
}

function compareField(agreement: Agreement, field: string, wanted: unknown, read: Read, line: string): void {
  // Servers write a hyphen for nothing, which no field is.
  if (wanted === "-") return;
  if (field === "@timestamp") {
    const time = new Date(String(wanted)).getTime();
    // Years that lines leave out are the test clock's, and zones the test's settings.
    const got = read.time === undefined ? undefined : new Date(read.time / 1_000).toISOString().slice(14, 23);
    agreement.compare(field, new Date(time).toISOString().slice(14, 23), got, line);
    return;
  }
  // Of an access log's virtual host Elastic makes a destination; it is what was asked for.
  const asked =
    field.startsWith("destination.") && String(read.fields["event.module"]) === "nginx"
      ? field.endsWith("port")
        ? "url.port"
        : "url.domain"
      : field;
  const got = read.fields[asked];
  // Elastic writes methods small and decodes paths; we keep both as they were sent.
  if (field === "http.request.method") agreement.compare(field, String(wanted).toUpperCase(), got, line);
  else if (field === "url.path" || field === "url.query") agreement.compare(field, wanted, decoded(got), line);
  else agreement.compare(field, wanted, got, line);
}

const decoded = (value: FieldValue | undefined): unknown => {
  try {
    return typeof value === "string" ? decodeURIComponent(value) : value;
  } catch {
    return value;
  }
};

interface CrowdsecCase {
  readonly case_id: string;
  readonly log_file: string;
  readonly log_type: string;
  readonly lines: readonly string[];
  readonly parser_assert?: string | null;
}

/** Which of CrowdSec's asserted values are ours to read, and where we keep them. */
const asserted: { readonly [name: string]: readonly string[] } = {
  source_ip: ["source.ip"],
  target_user: ["user.name", "user.target.name"],
  user: ["user.name"],
  username: ["user.name"],
};

/** CrowdSec's asserts of source address and user, of parsers for the services named. */
export function crowdsecAsserts(text: string): { readonly index: number; readonly name: string; readonly value: string }[] {
  const pattern = /results\["s01-parse"\]\["[^"]+"\]\[(\d+)\]\.Evt\.(?:Meta|Parsed)\["(\w+)"\] == "((?:[^"\\]|\\.)*)"/g;
  return [...text.matchAll(pattern)].map((found) => ({
    index: Number(found[1]),
    name: found[2]!,
    value: JSON.parse(`"${found[3]!}"`) as string,
  }));
}

export async function crowdsec(parsers: (name: string) => boolean): Promise<Agreement> {
  const agreement = new Agreement();
  for (const one of readJsonLines(join(sharedSet("crowdsec-hub")!, "cases.jsonl.gz")) as CrowdsecCase[]) {
    const text = one.parser_assert ?? "";
    const parser = /results\["s01-parse"\]\["([^"]+)"\]/.exec(text)?.[1];
    if (parser === undefined || !parsers(`${parser} ${one.case_id}`)) continue;
    const reached = /len\(results\["s01-parse"\]\["[^"]+"\]\) == (\d+)/.exec(text)?.[1];
    const lines = one.lines.filter((line) => line.trim() !== "");
    // Lines that an earlier stage dropped shift the numbers.
    if (Number(reached) !== lines.length) continue;
    const reads = await readLines(lines, one.log_file, Date.UTC(2025, 0, 1) * 1_000);
    const seen = new Set<string>();
    for (const { index, name, value } of crowdsecAsserts(text)) {
      const fields = asserted[name];
      const key = `${index} ${name}`;
      if (fields === undefined || value === "" || seen.has(key) || lines[index] === undefined) continue;
      seen.add(key);
      const got = fields.map((field) => reads[index]!.fields[field]).find((one) => same(value, one)) ?? reads[index]!.fields[fields[0]!];
      agreement.compare(`${one.case_id} ${name}`, name === "source_ip" ? value.replace("::ffff:", "") : value, got, lines[index]!);
    }
  }
  return agreement;
}

interface Fail2banCase {
  readonly filter: string;
  readonly line: string;
  readonly expected: { readonly match: boolean; readonly host?: string };
}

/** fail2ban's hosts of lines that must match, and what we take for a failed login in lines that must not. */
export async function fail2ban(
  filters: ReadonlySet<string>,
): Promise<{ readonly hosts: Agreement; readonly asked: number; readonly wrong: readonly string[] }> {
  const hosts = new Agreement();
  const wrong: string[] = [];
  let asked = 0;
  for (const { filter, line, expected } of readJsonLines(join(sharedSet("fail2ban")!, "cases.jsonl.gz")) as Fail2banCase[]) {
    if (!filters.has(filter)) continue;
    const [read] = await readLines([line], `${filter}.log`, Date.UTC(2026, 0, 1) * 1_000);
    const { fields } = read!;
    if (expected.match && expected.host !== undefined) {
      // The rest of a message of several lines, which fail2ban joins by their PID.
      if (!line.includes(expected.host)) continue;
      const named: readonly (FieldValue | undefined)[] = [fields["source.ip"], fields["source.domain"], fields["source.address"]];
      hosts.compare(filter, expected.host, named.find((one) => same(expected.host, one)) ?? named[0] ?? named[1], line);
    } else if (!expected.match) {
      asked++;
      const isFailure =
        same("authentication", fields["event.category"]) && fields["event.outcome"] === "failure" && fields["source.ip"] !== undefined;
      // PAM tells of the failure that the program tells of too; counting logins leaves it out.
      if (fields["event.action"] === "pam_authentication") continue;
      if (isFailure) wrong.push(`${filter}: ${line}`);
    }
  }
  return { hosts, asked, wrong };
}

interface WazuhCase {
  readonly file: string;
  readonly rule_info: { readonly description: string; readonly groups?: readonly string[] | string } | null;
  readonly logs: readonly { readonly expect: "pass" | "fail"; readonly line: string }[];
}

/** Wazuh's groups of logins: the outcome we give to the lines of rules about them. */
export async function wazuh(): Promise<Agreement> {
  const agreement = new Agreement();
  for (const { file, rule_info, logs } of readJsonLines(join(sharedSet("wazuh-ruleset")!, "cases.jsonl.gz")) as WazuhCase[]) {
    const groups = [rule_info?.groups ?? []].flat().join(",");
    const outcome = /authentication_fail|invalid_login/.test(groups)
      ? "failure"
      : /authentication_success/.test(groups)
        ? "success"
        : undefined;
    if (outcome === undefined || /^test_/.test(file)) continue;
    for (const { expect, line } of logs) {
      if (expect !== "pass") continue;
      const [read] = await readLines([line], `${file}.log`, Date.UTC(2026, 0, 1) * 1_000);
      const told =
        same("authentication", read!.fields["event.category"]) || [read!.fields["event.category"]].flat().includes("authentication");
      agreement.compare(`${file} ${rule_info!.description}`, outcome, told ? read!.fields["event.outcome"] : undefined, line);
    }
  }
  return agreement;
}

interface PantherCase {
  readonly case_id: string;
  readonly log_types: readonly string[] | null;
  readonly event: { readonly [key: string]: unknown };
}

/** By Panther's log type the dataset its samples must come to. */
const pantherTypes: { readonly [type: string]: RegExp } = {
  "AWS.CloudTrail": /^aws\.cloudtrail$/,
  "AWS.VPCFlow": /^aws\.vpcflow$/,
  "Azure.MonitorActivity": /^azure\./,
  "Azure.Audit": /^azure\./,
  "GCP.AuditLog": /^gcp\.audit$/,
  "Amazon.EKS.Audit": /^kubernetes\.audit_logs$/,
  "GitHub.Audit": /^github\.audit$/,
  "GSuite.ActivityEvent": /^google_workspace\./,
  "Okta.SystemLog": /^okta\.system$/,
  "Microsoft365.Audit.Exchange": /^o365\.audit$/,
  "Microsoft365.Audit.SharePoint": /^o365\.audit$/,
  "Microsoft365.Audit.AzureActiveDirectory": /^o365\.audit$/,
};

/** Panther's samples of one log type: recognised as that, by log type. */
export async function panther(): Promise<Map<string, Agreement>> {
  const found = new Map<string, Agreement>();
  for (const { case_id, log_types, event } of readJsonLines(join(sharedSet("panther-analysis")!, "cases.jsonl.gz")) as PantherCase[]) {
    const type = log_types?.length === 1 ? log_types[0]! : "";
    const wanted = pantherTypes[type];
    if (wanted === undefined) continue;
    const agreement = found.get(type) ?? new Agreement();
    found.set(type, agreement);
    const line = JSON.stringify(event);
    const [read] = await readLines([line], "panther", Date.UTC(2025, 0, 1) * 1_000);
    const dataset = String(read!.fields["event.dataset"]);
    agreement.compare(case_id, true, wanted.test(dataset) || dataset, line);
  }
  return found;
}

/** XDMoD's own reading of sacct's lines, field by field. */
export async function slurm(): Promise<Agreement> {
  const agreement = new Agreement();
  const folder = join(sharedSet("hpc-slurm")!, "xdmod/unit/shredder/slurm");
  for (const file of readdirSync(join(folder, "input"))) {
    const lines = readFileSync(join(folder, "input", file), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
    const wanted = JSON.parse(readFileSync(join(folder, "output", file.replace(".log", ".json")), "utf8")) as {
      readonly [key: string]: unknown;
    }[];
    const reads = await readLines(lines, file, Date.UTC(2020, 0, 1) * 1_000, "slurm_job");
    for (const job of wanted) {
      // One file is about nothing but the characters of a name.
      if (job["job_id"] === undefined) continue;
      const read = reads.find((one) => one.fields["slurm.job.id"] === job["job_id_raw"] || one.fields["slurm.job.id"] === job["job_id"]);
      const at = (field: string) => read?.fields[field];
      const seconds = (field: string) => (typeof at(field) === "string" ? Date.parse(String(at(field))) / 1_000 : undefined);
      const where = JSON.stringify(job).slice(0, 200);
      agreement.compare("user", job["user_name"], at("user.name"), where);
      agreement.compare("account", job["account_name"], at("slurm.job.account"), where);
      agreement.compare("partition", job["partition_name"] || undefined, at("slurm.job.partition"), where);
      agreement.compare("nodes", job["node_list"], at("slurm.job.node_list"), where);
      agreement.compare("cpus", job["ncpus"], at("slurm.job.cpus"), where);
      agreement.compare("name", job["job_name"], at("slurm.job.name"), where);
      agreement.compare("start", job["start_time"], seconds("event.start"), where);
      agreement.compare("end", job["end_time"], seconds("event.end"), where);
    }
  }
  return agreement;
}

/** The cluster's 4,285 jobs: their states as the set's description counts them. */
export async function slurmStates(): Promise<{ [state: string]: number }> {
  const packed = join(sharedSet("hpc-slurm")!, "xdmod/referencedata/phillips.log.xz");
  const lines = execFileSync("xz", ["-dc", packed], { maxBuffer: 64 << 20 })
    .toString()
    .trimEnd()
    .split("\n");
  const states: { [state: string]: number } = {};
  for (const { format, fields } of await readLines(lines, "phillips.log", Date.UTC(2020, 0, 1) * 1_000)) {
    const state = `${format} ${String(fields["slurm.job.state"])}`;
    states[state] = (states[state] ?? 0) + 1;
  }
  return states;
}
