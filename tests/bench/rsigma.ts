/** Runs the peer rsigma where it is installed, and says where its answers and ours may rightly differ. */
import { spawnSync } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Far beyond the slowest run seen: one that takes so long is given up. */
const patience_ms = 600_000;
/** The modes that are fast on routed input, of which the better one counts. */
export const modes: readonly (readonly string[])[] = [["--logsource-routing"], ["--logsource-routing", "--bloom-prefilter"]];

/** The program on PATH or where `cargo install --root` was told to put it. */
export function findRsigma(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), process.env["RSIGMA_BIN"] ?? "/tmp/peers/cargo/bin"];
  return folders.map((folder) => join(folder, "rsigma")).find((file) => existsSync(file));
}

/** Feeds it files one after the other. @returns CPU seconds of rsigma alone */
export function runRsigma(program: string, rules: string, files: readonly string[], mode: readonly string[], output: string): number {
  const script = 'TIMEFORMAT="%3U %3S"; { time "$@" 2>&3; } 3>/dev/null < <(cat $FILES)';
  const argv = [program, "engine", "eval", "--rules", rules, ...mode, "--output-format", "ndjson", "--input-format", "json"];
  const child = spawnSync("bash", ["-c", script, "bash", ...argv], {
    stdio: ["ignore", openSync(output, "w"), "pipe"],
    encoding: "utf8",
    timeout: patience_ms,
    env: { ...process.env, LC_ALL: "C", FILES: files.join(" ") },
  });
  const times = child.stderr.trim().split("\n").at(-1)!.split(" ").map(Number);
  if (child.status !== 0 || times.length !== 2) throw new Error(`rsigma ended with ${child.status}: ${child.stderr.slice(-1_000)}`);
  return times[0]! + times[1]!;
}

/** Matches by rule id. */
export function countsOf(output: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, id] of readFileSync(output, "utf8").matchAll(/^\{.*?"rule_id":"([^"]+)"/gm)) counts.set(id!, (counts.get(id!) ?? 0) + 1);
  return counts;
}
