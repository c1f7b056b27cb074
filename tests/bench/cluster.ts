/** Files as the hosts and sensors of a cluster write them, of the real sets: so many events of each kind, re-keyed where a set is used up. */
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { rekeyedJson, rekeyedSshd, rekeyedZeek, shared, temporary } from "./corpus.ts";
import { say } from "./harness.ts";

interface Kind {
  /** Of all events (issue 4, `bench full`: 76 % Zeek, 23 % host events). */
  readonly share: number;
  readonly lines: () => Iterable<string>;
}

/** By name of the file: the format follows from the name where the lines alone do not tell it. */
const kinds: { readonly [file: string]: Kind } = {
  "zeek.ndjson": { share: 0.76, lines: () => rekeyedZeek() },
  "windows.json": { share: 0.08, lines: windows },
  "auth.log": { share: 0.07, lines: () => rekeyedSshd() },
  "tetragon.json": { share: 0.07, lines: tetragon },
  "audit.log": { share: 0.01, lines: auditd },
  "error.log": { share: 0.01, lines: apache },
};

export interface ClusterFile {
  readonly name: string;
  readonly path: string;
  readonly events: number;
}

/** Made once and kept for the next run. */
export function clusterFiles(events: number): readonly ClusterFile[] {
  mkdirSync(temporary, { recursive: true });
  return Object.entries(kinds).map(([name, { share, lines }]) => {
    const count = Math.round(events * share);
    const path = join(temporary, `cluster-${count}-${name}`);
    if (!existsSync(path)) write(path, lines(), count);
    return { name, path, events: count };
  });
}

function write(path: string, lines: Iterable<string>, count: number): void {
  say(`making ${count} events in ${path}`);
  const out = openSync(`${path}.part`, "w");
  let chunk = "";
  let n = 0;
  for (const line of lines) {
    if (n++ === count) break;
    chunk += `${line}\n`;
    if (chunk.length < 1_048_576) continue;
    writeSync(out, chunk);
    chunk = "";
  }
  writeSync(out, chunk);
  closeSync(out);
  renameSync(`${path}.part`, path);
}

/** OTRF's Windows events as nxlog and Winlogbeat wrote them, none twice before all have been. */
function* windows(): Generator<string> {
  const folder = join(shared, "data/otrf-security-datasets");
  const archives = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((f) => /windows.*\.zip$/i.test(f));
  for (;;) {
    for (const archive of archives.sort()) {
      const text = execFileSync("unzip", ["-p", join(folder, archive)], { maxBuffer: 1_073_741_824 }).toString();
      yield* text.split("\n").filter((line) => line.startsWith("{"));
    }
  }
}

/** Processes come and go: each round has process ids of its own. */
function tetragon(): Iterable<string> {
  const cases = gunzipSync(readFileSync(join(shared, "data/tetragon/events.jsonl.gz")))
    .toString()
    .trim()
    .split("\n");
  const lines = cases.map((line) => JSON.stringify((JSON.parse(line) as { readonly event: unknown }).event));
  return rekeyedJson(lines, (line, n) => {
    const round = Math.floor(n / lines.length);
    const own = (id: string) => Buffer.from(`${Buffer.from(id, "base64").toString("latin1")}:${round}`, "latin1").toString("base64");
    return line
      .replace(/"((?:parent_)?exec_id)":"([^"]+)"/g, (_, key: string, id: string) => `"${key}":"${own(id)}"`)
      .replace(/"pid":(\d+)/g, (_, pid: string) => `"pid":${(Number(pid) + round) % 4_194_304}`);
  });
}

/** The records of the one audited command in OTRF's sets, under other times, serial numbers and process ids. */
function* auditd(): Generator<string> {
  const archive = join(shared, "data/otrf-security-datasets/atomic/linux/defense_evasion/host/sh_binary_padding_dd.zip");
  const records = execFileSync("unzip", ["-p", archive]).toString().trim().split("\n");
  for (let n = 0; ; n++) {
    const stamp = `audit(${1_604_996_384 + n}.965:${93_777 + n})`;
    for (const record of records) yield record.replace(/audit\([^)]*\)/, stamp).replace(/\bpid=\d+/, `pid=${2_168 + (n % 30_000)}`);
  }
}

function* apache(): Generator<string> {
  const archive = join(shared, "data/loghub/Apache.tar.xz");
  const lines = execFileSync("tar", ["xJOf", archive, "Apache/Apache_2k.log"]).toString().trim().split(/\r?\n/);
  for (;;) yield* lines;
}
