/** Kafka, PostgreSQL, Redis and OpenSearch of a test's own, on loopback, to be killed, held and started again on what they had. Knows no Vedette. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { programs } from "../../../scripts/services_install.mjs";
import { type ServerStart, servers } from "../../../scripts/services_run.mjs";

export const serverNames = ["kafka", "postgres", "redis", "opensearch"] as const;
export type ServerName = (typeof serverNames)[number];

const programOf: { readonly [name in ServerName]: string } = {
  kafka: programs.kafka,
  postgres: join(programs.postgres, "postgres"),
  redis: "/usr/bin/redis-server",
  opensearch: programs.opensearch,
};

/** Which are not installed. @throws in CI, where all have to be */
export function absent(names: readonly ServerName[] = serverNames): readonly ServerName[] {
  const missing = names.filter((name) => !existsSync(programOf[name]));
  if (missing.length > 0 && process.env["CI"] === "true") throw new Error(`${missing.join(", ")} not installed: scripts/services install`);
  return missing;
}

/** What can be killed, held and started again: a server, or one of our processes. */
export interface Victim {
  readonly name: string;
  kill(): Promise<void>;
  hold(): void;
  goOn(): void;
  /** Asked to end, as an operator does. */
  end(): Promise<void>;
  /** Until it answers; after `kill` or `end`. */
  start(): Promise<void>;
}

export class OwnServer implements Victim {
  readonly name: ServerName;
  readonly #folder: string;
  readonly #what: (typeof servers)[ServerName];
  #how: ServerStart | undefined;
  #child: ChildProcess | undefined;
  #starts = 0;

  constructor(name: ServerName) {
    this.name = name;
    this.#what = servers[name];
    // not in a folder that only we may enter: PostgreSQL runs as another user
    this.#folder = mkdtempSync(join(tmpdir(), `vedette-${name}-`));
  }

  get host(): string {
    return "127.0.0.1";
  }
  get port(): number {
    return this.#how!.facts.port;
  }
  /** A fact that its preparation noted, such as a password. */
  fact(name: string): string {
    return String(this.#how!.facts[name]);
  }
  get pid(): number {
    return this.#child!.pid!;
  }

  async start(): Promise<void> {
    const place = join(this.#folder, "place");
    const first = this.#how === undefined;
    if (first) {
      mkdirSync(place, { mode: 0o711 });
      chmodSync(this.#folder, 0o711);
      this.#how = await this.#what.prepare(place);
    }
    // one that was killed may leave children that hold its files for a moment more
    for (let tries = 0; !(await this.#started(place)); tries++) {
      if (tries === 20) throw new Error(`${this.name} does not start:\n${readFileSync(this.#log, "utf8").slice(-2_000)}`);
      await pause(250);
    }
    if (first) this.#what.after?.({ host: this.host, log: this.#log, ...this.#how!.facts });
  }

  get #log(): string {
    return join(this.#folder, `said${this.#starts}`);
  }

  async #started(place: string): Promise<boolean> {
    const { command, args, user } = this.#how!;
    this.#starts++;
    const out = openSync(this.#log, "w");
    const child = spawn(command, args, { ...user, cwd: user === undefined ? place : "/", stdio: ["ignore", out, out] });
    this.#child = child;
    await once(child, "spawn");
    while (!this.#gone()) {
      if (await this.#answers()) return true;
      await pause(100);
    }
    return false;
  }

  async #answers(): Promise<boolean> {
    try {
      return Boolean(await this.#what.ready({ host: this.host, port: this.port, log: this.#log }));
    } catch {
      return false;
    }
  }
  #gone(): boolean {
    const child = this.#child;
    return child === undefined || child.exitCode !== null || child.signalCode !== null;
  }

  async #signalled(signal: NodeJS.Signals): Promise<void> {
    if (this.#gone()) return;
    const ended = once(this.#child!, "exit");
    this.#child!.kill("SIGCONT");
    this.#child!.kill(signal);
    await ended;
  }
  kill(): Promise<void> {
    return this.#signalled("SIGKILL");
  }
  end(): Promise<void> {
    // PostgreSQL waits for nobody then
    return this.#signalled(this.name === "postgres" ? "SIGINT" : "SIGTERM");
  }
  hold(): void {
    this.#child?.kill("SIGSTOP");
  }
  goOn(): void {
    this.#child?.kill("SIGCONT");
  }
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
