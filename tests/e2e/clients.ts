/** Real clients and servers of other makers, as integration tests start them; `scripts/services install` installs them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free_port.ts";
import { Vedette } from "./vedette.ts";

const services = process.env["VEDETTE_SERVICES"] ?? join(homedir(), ".cache", "vedette-services");

export const present = {
  npm: existsSync(join(services, "npm", "node_modules")),
  instrumentation: existsSync(join(services, "instrumentation", "node_modules")),
  python: existsSync(join(services, "python", "elasticsearch")),
  kafka: existsSync(join(services, "kafka-4.1.1", "lib")) && existsSync("/usr/bin/java"),
  rsyslog: existsSync("/usr/sbin/rsyslogd") && existsSync("/usr/lib/x86_64-linux-gnu/rsyslog/omelasticsearch.so"),
  journal: existsSync("/lib/systemd/systemd-journal-upload") && existsSync("/lib/systemd/systemd-journal-remote"),
  softflowd: existsSync("/usr/sbin/softflowd"),
};

/** A package of the npm clients. */
export const client = (name: string): unknown => createRequire(join(services, "npm", "package.json"))(name);
/** A package with which programs tell of themselves. */
export const instrumentation = (name: string): unknown => createRequire(join(services, "instrumentation", "package.json"))(name);
export const pythonPath = join(services, "python");

/** A Vedette that keeps its address when it is killed and started again. */
export class SteadyVedette extends Vedette {
  #port: number | undefined;
  override async start(): Promise<void> {
    this.#port ??= await freePort();
    await super.start("--no-demo", "--listen", `127.0.0.1:${this.#port}`);
  }
  async killAndStart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}

/** A program of another maker; what it says is kept for when it fails. */
export class Program {
  said = "";
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  constructor(command: string, args: readonly string[], options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}) {
    this.child = spawn(command, args, { ...options, env: { ...process.env, ...options.env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on("data", (d: Buffer) => {
        this.said = (this.said + d.toString()).slice(-20_000);
      });
    }
    this.ended = once(this.child, "exit").then(([code]) => code as number | null);
  }
  /** Resolves when it has said so, rejects when it ends before. */
  async says(what: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => what.test(this.said) && resolve();
      for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on("data", look);
      void this.ended.then((code) => reject(new Error(`it ended (${code}):\n${this.said}`)));
      look();
    });
  }
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    await this.ended;
  }
}

/** What starts soonest: a test has no time for what makes a long run fast. */
const quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"];

/** One broker of Kafka that is its own controller. */
export class Kafka {
  readonly #folder: string;
  #port = 0;
  #program: Program | undefined;
  constructor(folder: string) {
    this.#folder = folder;
  }
  get broker(): string {
    return `127.0.0.1:${this.#port}`;
  }
  /** Where its files are. */
  get logs(): string {
    return join(this.#folder, "logs");
  }
  async start(): Promise<void> {
    const lib = join(services, "kafka-4.1.1", "lib", "*");
    const properties = join(this.#folder, "server.properties");
    if (this.#port === 0) {
      mkdirSync(this.#folder, { recursive: true });
      this.#port = await freePort();
      const controller = await freePort();
      writeFileSync(
        properties,
        `process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:${controller}\nlisteners=PLAINTEXT://127.0.0.1:${this.#port},CONTROLLER://127.0.0.1:${controller}\nadvertised.listeners=PLAINTEXT://127.0.0.1:${this.#port}\ncontroller.listener.names=CONTROLLER\nlog.dirs=${join(this.#folder, "logs")}\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\ntransaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n`,
      );
      const format = new Program("java", [
        ...quick,
        "-cp",
        lib,
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "4L6g3nShT-eMCtK--X86sw",
        "-c",
        properties,
      ]);
      if ((await format.ended) !== 0) throw new Error(format.said);
    }
    this.#program = new Program("java", [
      ...quick,
      "-Xmx400m",
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
      "-cp",
      lib,
      "kafka.Kafka",
      properties,
    ]);
    await this.#program.says(/Kafka Server started/);
  }
  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.#program?.stop(signal);
  }
  /** Makes it stand still, or go on. */
  pause(paused: boolean): void {
    this.#program?.child.kill(paused ? "SIGSTOP" : "SIGCONT");
  }
}

/** How often each number from 0 on is in the store, told by `numberOf` of each event's text: which are missing, which are there twice. */
export async function tally(
  v: Vedette,
  query: string,
  total: number,
  numberOf: (text: string) => number,
): Promise<{ missing: number[]; twice: number[] }> {
  const counts = new Map<number, number>();
  for (const { original } of await v.events<{ original: string }>(query)) {
    const n = numberOf(original);
    // Vedette's own audit trail has none
    if (n < 0) continue;
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  return {
    missing: Array.from({ length: total }, (_, n) => n).filter((n) => !counts.has(n)),
    twice: [...counts].filter(([, count]) => count > 1).map(([n]) => n),
  };
}

/** How many events of a source are stored. */
export async function stored(v: Vedette, source: string): Promise<number> {
  const { sources } = await v.get<{ sources: { name: string; stored: number; pending: number }[] }>("/api/v1/ledger");
  return sources.find(({ name }) => name === source)?.stored ?? 0;
}
