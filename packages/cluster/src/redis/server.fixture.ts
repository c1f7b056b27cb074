/** A real redis-server for a test, on a free port of loopback, that can be stopped, killed and held. Knows no cluster. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../../tests/e2e/free_port.ts";
import type { RedisSettings } from "./settings.ts";

const program = "/usr/bin/redis-server";
export const redisAbsent = !existsSync(program);

export class RedisServer {
  readonly #directory: string;
  readonly #port: number;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(directory: string, port: number, settings: readonly string[]) {
    this.#directory = directory;
    this.#port = port;
    this.#settings = settings;
  }
  /** @param settings as on redis-server's command line */
  static async start(...settings: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await mkdtemp(join(tmpdir(), "vedette-redis-")), await freePort(), settings);
    await server.start();
    return server;
  }
  /** The same, over TLS alone. */
  static async startTls(...settings: readonly string[]): Promise<RedisServer> {
    const port = await freePort();
    const tls = ["--port", "0", "--tls-port", String(port)];
    const server = new RedisServer(await mkdtemp(join(tmpdir(), "vedette-redis-")), port, [...tls, ...settings]);
    await server.start();
    return server;
  }

  /** @param change what is set otherwise than this server has it */
  settings(change: Partial<RedisSettings> = {}): RedisSettings {
    return { host: "127.0.0.1", port: this.#port, db: 0, prefix: "vedette", ...change };
  }
  /** On the same port, with what its append-only file has. */
  async start(): Promise<void> {
    const fixed = ["--port", String(this.#port), "--bind", "127.0.0.1", "--dir", this.#directory, "--save", "", "--appendonly", "yes"];
    const child = spawn(program, [...fixed, "--appendfsync", "always", ...this.#settings], { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (data: Buffer) => {
        said = (said + data.toString()).slice(-10_000);
        if (said.includes("Ready to accept connections")) resolve();
      });
      child.once("exit", (code) => reject(new Error(`redis-server ended (${code}):\n${said}`)));
    });
  }
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  hold(): void {
    this.#child?.kill("SIGSTOP");
  }
  goOn(): void {
    this.#child?.kill("SIGCONT");
  }
  async end(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
