/** The built Vedette in a process of its own, below tests/.tmp: started, timed, asked over HTTP, measured from /proc, ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporary } from "./corpus.ts";
import { say } from "./harness.ts";

const built = fileURLToPath(new URL("../../apps/vedette/dist/main.js", import.meta.url));
const binary = fileURLToPath(new URL("../../apps/vedette/bin/vedette.mjs", import.meta.url));
const source = fileURLToPath(new URL("../../apps/vedette/src/main.ts", import.meta.url));

/** What to run with Node: the built program where there is one; from source, start and memory are worse than what users get. */
export function programArguments(): readonly string[] {
  if (existsSync(built)) return [binary];
  say("apps/vedette/dist is missing (npm run build): running from source, start and memory figures are not those of the built program");
  return ["--conditions=source", source];
}

/** Flags of Node for the program under test, for whoever looks where its time and memory go: `VEDETTE_NODE_FLAGS="--trace-gc --cpu-prof"`. */
const nodeFlags = (process.env["VEDETTE_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");

/** Far beyond every goal: a start that takes so long has failed. */
const patience_ms = 120_000;

export class Program {
  readonly directory: string;
  readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  url = "";
  output = "";
  /** Seconds from spawn until `/readyz` answered 200. */
  ready_s = Number.NaN;
  #child: ChildProcess | undefined;

  /** @param config YAML text */
  constructor(name: string, config = "") {
    mkdirSync(temporary, { recursive: true });
    this.directory = mkdtempSync(join(temporary, `${name}-`));
    writeFileSync(join(this.directory, "vedette.yaml"), config);
  }

  get data(): string {
    return join(this.directory, "data");
  }
  get headers(): { readonly authorization: string } {
    return { authorization: `Bearer ${readFileSync(join(this.data, "admin.token"), "utf8").trim()}` };
  }

  /** Resolves when it is ready. */
  async start(...flags: readonly string[]): Promise<void> {
    const begun = performance.now();
    const at = [
      "--data-dir",
      this.data,
      "--listen",
      "127.0.0.1:0",
      "--config",
      join(this.directory, "vedette.yaml"),
      "--no-demo",
      ...flags,
    ];
    const child = spawn(process.execPath, [...nodeFlags, ...programArguments(), "up", ...at], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: this.directory,
    });
    this.#child = child;
    this.url = await new Promise<string>((resolve, reject) => {
      const take = (d: Buffer) => {
        this.output = (this.output + d.toString()).slice(-65_536);
        const match = / is up at (\S+)/.exec(this.output);
        if (match) resolve(match[1]!);
      };
      child.stdout!.on("data", take);
      child.stderr!.on("data", take);
      child.once("exit", (code, signal) => reject(new Error(`vedette ended (${code ?? signal}) before it was up:\n${this.output}`)));
    });
    while (!(await fetch(`${this.url}/readyz`, { headers: this.headers })).ok) {
      if (performance.now() - begun > patience_ms) throw new Error(`vedette was not ready after ${patience_ms / 1_000} s:\n${this.output}`);
      await new Promise((r) => setTimeout(r, 10));
    }
    this.ready_s = (performance.now() - begun) / 1_000;
  }

  /** Resident memory now and at its highest, in MB. */
  memory(): { readonly rss_mb: number; readonly peak_mb: number } {
    const status = readFileSync(`/proc/${this.#child!.pid}/status`, "utf8");
    const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
    return { rss_mb: (kb("VmRSS") * 1_024) / 1e6, peak_mb: (kb("VmHWM") * 1_024) / 1e6 };
  }

  /** CPU seconds so far, all threads. */
  cpu_s(): number {
    const [, rest] = readFileSync(`/proc/${this.#child!.pid}/stat`, "utf8").split(") ");
    const fields = rest!.split(" ");
    // proc(5): utime and stime are fields 14 and 15, in ticks of 1/100 s on Linux
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`, { headers: this.headers });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Events so far: accepted, stored durably, and those of which the ledger does not know yet. */
  async taken(): Promise<{ readonly taken: number; readonly stored: number; readonly pending: number; readonly unbalanced: number }> {
    type Row = { readonly in: number; readonly stored: number; readonly pending: number; readonly balance: number };
    const { sources } = await this.get<{ sources: readonly Row[] }>("/api/v1/ledger");
    const sum = (of: (row: Row) => number) => sources.reduce((n, row) => n + of(row), 0);
    const pending = sum((r) => r.pending);
    return { taken: sum((r) => r.in), stored: sum((r) => r.stored), pending, unbalanced: sum((r) => Math.abs(r.balance)) + pending };
  }

  /** Resolves when everything accepted has been analysed and stored, with how many that are. */
  async settled(timeout_ms: number): Promise<{ readonly taken: number; readonly unbalanced: number }> {
    const end = performance.now() + timeout_ms;
    for (;;) {
      const state = await this.taken();
      if (state.pending === 0 || performance.now() > end) return state;
      await new Promise((r) => setTimeout(r, 200));
    }
  }

  /** Ends it, as a power cut would, and removes what it wrote. */
  async remove(): Promise<void> {
    this.agent.destroy();
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    // what Node writes for who looks it writes at an orderly end
    child.kill(nodeFlags.length > 0 ? "SIGTERM" : "SIGKILL");
    await gone;
  }
}
