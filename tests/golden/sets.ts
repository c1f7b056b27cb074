/** The third-party data sets as files a source can read: found beside the repository, unpacked where they come packed. Knows no expectation. */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { readJsonLines, unzip } from "../../packages/normalise/src/shared_sets.test.data.ts";

const data = join(process.env["VEDETTE_SHARED"] ?? fileURLToPath(new URL("../../../shared", import.meta.url)), "data");
export const present = existsSync(data);

export interface GoldenSet {
  readonly name: string;
  /** False for sets that may not be shipped: their golden files hold counts and hashes only. */
  readonly open: boolean;
  /** Too much for every test run. */
  readonly long?: boolean;
  /** Paths to read, in order; unpacked below `temporary`, a folder that is thrown away. */
  readonly files: (temporary: string) => readonly string[];
}

/** A set's files that fit a pattern, sorted. */
export const found = (set: string, pattern: string): string[] =>
  globSync(pattern, { cwd: join(data, set) })
    .sort()
    .map((file) => join(data, set, file));

/** Texts as files below a folder, one record a line. */
function write(folder: string, files: ReadonlyMap<string, readonly string[]>): string[] {
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, lines]) => {
      const path = join(folder, name.replaceAll(/[^\w./-]/g, "_"));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${lines.join("\n")}\n`);
      return path;
    });
}

/** The cases of `cases.jsonl.gz` and its like, as lines by file name. */
function cases<C>(
  folder: string,
  set: string,
  packed: string,
  lines: (one: C) => readonly [file: string, lines: readonly string[]],
): string[] {
  const files = new Map<string, string[]>();
  for (const one of readJsonLines(join(data, set, packed)) as C[]) {
    const [file, texts] = lines(one);
    const all = files.get(file);
    if (all) for (const text of texts) all.push(text);
    else files.set(file, [...texts]);
  }
  return write(folder, files);
}

function untar(folder: string, archive: string): string {
  execFileSync("tar", ["-xJf", archive, "-C", folder]);
  return folder;
}

/** Zeek's logs with the labels of the people who looked at them taken out again: their last columns. */
function unlabelled(folder: string, set: string, pattern: string): string[] {
  const labels = /\t(?:label\tdetailedlabel|detailedlabel\tlabel)$/;
  const files = found(set, pattern).map((path): [string, string[]] => {
    const bytes = readFileSync(path);
    const lines = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString().trimEnd().split("\n");
    const labelled = lines.some((l) => l.startsWith("#fields") && labels.test(l));
    const strip = (l: string) =>
      labelled && (!l.startsWith("#") || /^#(?:fields|types)/.test(l)) ? l.split("\t").slice(0, -2).join("\t") : l;
    const name = relative(join(data, set), path).replaceAll(/\.labeled|\.gz$|labeled-/g, "");
    return [name, lines.map(strip)];
  });
  return write(folder, new Map(files));
}

/** Small ones of every tactic, Windows, Linux and Zeek; the rest is for the long run. */
const quickZips = [
  "atomic/linux/defense_evasion/host/sh_binary_padding_dd.zip",
  "atomic/windows/credential_access/host/psh_lsass_memory_dump_comsvcs.zip",
  "atomic/windows/credential_access/host/cmd_sam_copy_esentutl.zip",
  "atomic/windows/defense_evasion/host/cmd_bitsadmin_download_psh_script.zip",
  "atomic/windows/discovery/host/cmd_seatbelt_group_user.zip",
  "atomic/windows/execution/host/psh_python_webserver.zip",
  "atomic/windows/persistence/host/cmd_userinitmprlogonscript_batch.zip",
  "compound/LSASS_campaign_02/metasploit_procdump_lsass_memory_dump_zeek_logs.zip",
];

function unzipped(folder: string, zips: readonly string[]): string[] {
  const files = zips
    .flatMap((zip) => [...unzip(zip)].map(({ name, text }) => [`${basename(zip, ".zip")}/${name}`, text.trimEnd().split("\n")] as const))
    .filter(([name]) => /\.(?:json|log)$/.test(name));
  return write(folder, new Map(files));
}

const loghub = (system: string) => (folder: string) => [
  join(untar(folder, join(data, `loghub/${system}.tar.xz`)), `${system}/${system}_2k.log`),
];
const json = (value: unknown) => JSON.stringify(value);

export const sets: readonly GoldenSet[] = [
  { name: "zeek-wrccdc-tsv", open: true, files: () => found("zeek-wrccdc", "zeek-default/*.log.gz") },
  { name: "zeek-wrccdc-json", open: true, files: () => found("zeek-wrccdc", "zeek-json/*.json.gz") },
  { name: "zeek-rita", open: false, files: () => found("zeek-rita", "**/*.{log,log.gz}") },
  { name: "zeek-slips", open: false, files: () => found("zeek-slips", "**/*.{log,log.gz}") },
  {
    name: "zeek-btest",
    open: true,
    files: (t) =>
      globSync("**/*.log", { cwd: untar(t, join(data, "zeek-btest/baseline-logs.tar.xz")) })
        .sort()
        .map((f) => join(t, f)),
  },
  { name: "zeek-apt29", open: true, files: () => found("zeek-apt29", "day1/**/*.log.gz") },
  {
    name: "zeek-stratosphere-labelled",
    open: false,
    files: (t) => unlabelled(t, "zeek-stratosphere-labelled", "**/*.{log,log.gz,labeled,labeled.gz}"),
  },
  { name: "loghub-linux", open: false, files: loghub("Linux") },
  { name: "loghub-apache", open: false, files: loghub("Apache") },
  {
    name: "otrf",
    open: true,
    files: (t) =>
      unzipped(
        t,
        quickZips.map((z) => join(data, "otrf-security-datasets", z)),
      ),
  },
  { name: "otrf-all", open: true, long: true, files: (t) => unzipped(t, found("otrf-security-datasets", "**/*.zip")) },
  {
    name: "evtx-attack-samples",
    open: false,
    files: (t) =>
      cases<{ file: string; events: unknown[] }>(t, "evtx-attack-samples", "files.jsonl.gz", (c) => [`${c.file}.json`, c.events.map(json)]),
  },
  {
    name: "tetragon",
    open: true,
    files: (t) => cases<{ event: unknown }>(t, "tetragon", "events.jsonl.gz", (c) => ["tetragon.log", [json(c.event)]]),
  },
  {
    name: "aws-stratus",
    open: true,
    files: (t) =>
      cases<{ technique: string; events: unknown[] }>(t, "aws-stratus", "detonations.jsonl.gz", (c) => [
        `${c.technique}.json`,
        c.events.map(json),
      ]),
  },
  {
    name: "panther-analysis",
    open: true,
    files: (t) =>
      cases<{ log_types: string[] | null; event: unknown }>(t, "panther-analysis", "cases.jsonl.gz", (c) => [
        `${c.log_types?.[0] ?? "none"}.json`,
        [json(c.event)],
      ]),
  },
  {
    name: "elastic-package",
    open: false,
    files: (t) =>
      cases<{ case_id: string; package: string; data_stream: string; input_raw?: string; input_events?: unknown[] }>(
        t,
        "elastic-package",
        "cases.jsonl.gz",
        (c) => [
          `${c.package}-${c.data_stream}/${basename(c.case_id).replace("-expected.json", "")}`,
          c.input_raw?.trimEnd().split("\n") ?? c.input_events!.map(json),
        ],
      ),
  },
  {
    name: "crowdsec-hub",
    open: true,
    files: (t) =>
      cases<{ case_id: string; log_file: string; lines: string[] }>(t, "crowdsec-hub", "cases.jsonl.gz", (c) => [
        `${basename(c.case_id)}/${basename(c.log_file)}`,
        c.lines,
      ]),
  },
  {
    name: "wazuh",
    open: false,
    files: (t) =>
      cases<{ file: string; logs: { line: string }[] }>(t, "wazuh-ruleset", "cases.jsonl.gz", (c) => [
        `${c.file}.log`,
        c.logs.map((l) => l.line),
      ]),
  },
  {
    name: "fail2ban",
    open: false,
    files: (t) => cases<{ filter: string; line: string }>(t, "fail2ban", "cases.jsonl.gz", (c) => [`${c.filter}.log`, [c.line]]),
  },
];
