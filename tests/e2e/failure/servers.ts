/** Kafka, PostgreSQL, Redis and OpenSearch of a test's own, on loopback, to be killed, held and started again on what they had. Knows no Vedette. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
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

/** A watchdog: on a loaded machine a virtual machine takes many times its usual ten seconds. */
const ready_ms = 600_000;

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
    for (const end = Date.now() + ready_ms; !this.#gone(); await pause(100)) {
      if (await this.#answers()) return true;
      // a port that another has taken meanwhile is none that it would get by waiting
      if (Date.now() > end) await this.kill();
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
    this.goOn();
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
    this.#signalAll("SIGSTOP");
  }
  goOn(): void {
    this.#signalAll("SIGCONT");
  }
  /** PostgreSQL answers each connection in a process of its own, which goes on while only the first is held. */
  #signalAll(signal: "SIGSTOP" | "SIGCONT"): void {
    if (this.#gone()) return;
    this.#child!.kill(signal);
    for (const pid of readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8").split(" ").filter(Boolean))
      try {
        process.kill(Number(pid), signal);
      } catch {
        // its connection ended meanwhile
      }
  }

  /** Until `accept` it answers and takes no writes, as a standby does and a node whose disk is full. Of PostgreSQL and OpenSearch. */
  async refuse(): Promise<void> {
    if (this.name === "opensearch") return await this.#block(true);
    this.#sql(`alter database ${this.fact("database")} set default_transaction_read_only = on`);
    // a session keeps what it began with
    this.#sql(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${this.fact("database")}'`);
  }
  async accept(): Promise<void> {
    if (this.name === "opensearch") return await this.#block(null);
    this.#sql(`alter database ${this.fact("database")} reset default_transaction_read_only`);
  }
  /** As OpenSearch does itself beyond its flood stage watermark. */
  async #block(block: true | null): Promise<void> {
    const response = await fetch(`http://${this.host}:${this.port}/_all/_settings`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ "index.blocks.read_only_allow_delete": block }),
    });
    if (!response.ok) throw new Error(await response.text());
  }
  #sql(statement: string): void {
    const how = ["-q", "-h", this.host, "-p", `${this.port}`, "-U", this.fact("user"), "-d", "postgres", "-c", statement];
    execFileSync("psql", how, { env: { ...process.env, PGPASSWORD: this.fact("password") }, stdio: ["ignore", "ignore", "pipe"] });
  }

  /** Of Redis: everything it holds is gone. */
  async empty(): Promise<void> {
    const socket = connect(this.port, this.host);
    socket.write("FLUSHALL\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    if (!answer.toString().startsWith("+OK")) throw new Error(answer.toString());
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
