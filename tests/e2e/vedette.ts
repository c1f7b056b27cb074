/** A real Vedette in a process of its own, for tests: starts, stops, dies by kill -9, and is asked over HTTP. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../apps/vedette/src/main.ts", import.meta.url));

/** It would answer later: a slow machine exceeds a question's time limit, a starting one has no room. */
class NotNow extends Error {}

export class Vedette {
  readonly directory = mkdtempSync(join(tmpdir(), "vedette-e2e-"));
  url = "";
  output = "";
  /** That its processes run under, where something has to tell them from others. */
  group: number | undefined;
  readonly #config: string;
  #child: ChildProcess | undefined;

  /** @param config YAML text */
  constructor(config = "") {
    this.#config = join(this.directory, "vedette.yaml");
    writeFileSync(this.#config, config);
  }

  get data(): string {
    return join(this.directory, "data");
  }
  get token(): string {
    return readFileSync(join(this.data, "admin.token"), "utf8").trim();
  }

  /** Resolves when it says where it listens. */
  async start(...flags: string[]): Promise<void> {
    const child = spawn(
      process.execPath,
      ["--conditions=source", program, "up", "--data-dir", this.data, "--listen", "127.0.0.1:0", "--config", this.#config, ...flags],
      {
        stdio: ["ignore", "pipe", "pipe"],
        cwd: this.directory,
        ...(this.group !== undefined && { gid: this.group }),
      },
    );
    this.#child = child;
    let said = "";
    const url = new Promise<string>((resolve, reject) => {
      const take = (d: Buffer) => {
        said += d.toString();
        this.output += d.toString();
        const match = / is up at (\S+)/.exec(said);
        if (match) resolve(match[1]!);
      };
      child.stdout!.on("data", take);
      child.stderr!.on("data", take);
      child.once("error", reject);
      child.once("exit", (code, signal) => reject(new Error(`vedette ended (${code ?? signal}) before it was up:\n${said}`)));
    });
    this.url = await url;
  }

  /** As if the power had gone, for the process: nothing is flushed. */
  async kill(): Promise<void> {
    const child = this.#child!;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  signal(name: NodeJS.Signals): void {
    this.#child!.kill(name);
  }

  async stop(): Promise<number | null> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, "exit") as Promise<[number | null]>;
    child.kill("SIGTERM");
    return (await gone)[0];
  }

  async remove(): Promise<void> {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${this.token}`, ...(init.headers as Record<string, string>) },
    });
  }

  async get<T>(path: string): Promise<T> {
    const response = await this.fetch(path);
    if (!response.ok) {
      const said = `${path}: ${response.status} ${await response.text()}`;
      throw response.status === 503 || response.status === 504 ? new NotNow(said) : new Error(said);
    }
    return (await response.json()) as T;
  }

  /** Asks again until `holds`, and where there is no answer for the moment; the test's own time limit ends a wait that never does. */
  async until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
    for (;;) {
      try {
        const answer = await ask();
        if (holds(answer)) return answer;
      } catch (error) {
        if (!(error instanceof NotNow)) throw error;
      }
      // less often than the server allows
      await new Promise((r) => setTimeout(r, 25));
    }
  }

  /** Every event that matches, by paging. */
  async events<E>(query: string): Promise<E[]> {
    const found: E[] = [];
    for (let cursor: string | undefined; ; ) {
      const search = new URLSearchParams({ q: query, limit: "1000", ...(cursor === undefined ? {} : { cursor }) });
      const page: { events: E[]; cursor?: string } = await this.get(`/api/v1/events?${search}`);
      found.push(...page.events);
      cursor = page.cursor;
      if (cursor === undefined) return found;
    }
  }
}

export interface SourceRow {
  readonly name: string;
  readonly in: number;
  readonly stored: number;
  readonly dead: number;
  readonly pending: number;
  readonly balance: number;
  readonly dropped: { readonly [reason: string]: number };
}

/** The ledger once nothing is pending. */
export async function settledLedger(v: Vedette): Promise<readonly SourceRow[]> {
  const { sources } = await v.until(
    () => v.get<{ sources: SourceRow[] }>("/api/v1/ledger"),
    ({ sources }) => sources.every((s) => s.pending === 0),
  );
  return sources;
}
