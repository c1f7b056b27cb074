/** The one place that speaks Redis: a connection that comes back by itself and says at once when it is away. Knows no lease, member or counter. */
import { type Clock, ConfigError, defineCounter, defineGauge, UnavailableError } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { Redis } from "ioredis";
import type { Script } from "./scripts.ts";
import { checkServer, explain, type RedisSettings } from "./settings.ts";

/** A command takes a fraction of a millisecond; a process whose own thread was busy must not take that for a lost server. */
const command_ms = 2_000;
const connect_ms = 5_000;
/** How often a silent connection is tried: a peer that vanished says nothing. */
const probe_ms = 5_000;
/** Between tries to come back: doubled each time from a tenth of a second. */
const longestRetry_ms = 5_000;

const up = defineGauge("cluster_up", "Whether what processes share (Redis) answers: 1 or 0.");
const failures = defineCounter("cluster_failures_total", "Questions to what processes share that were not answered.");

export interface Ears {
  message(channel: string, bytes: Uint8Array): void;
  /** It was away, and messages with it. */
  back(): void;
}
type State = { readonly up: true } | { readonly up: false; readonly reason: Error; readonly since: Micros };

const given = (settings: { readonly [name: string]: string | undefined }): { readonly [name: string]: string } =>
  Object.fromEntries(Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined));

export class Connection {
  readonly #client: Redis;
  readonly #settings: RedisSettings;
  readonly #clock: Clock;
  readonly #ears: Ears;
  readonly #channels = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #state: State;
  #warnings: readonly string[] = [];
  #first: { readonly resolve: () => void; readonly reject: (reason: Error) => void } | undefined;

  private constructor(client: Redis, settings: RedisSettings, clock: Clock, ears: Ears) {
    this.#client = client;
    this.#settings = settings;
    this.#clock = clock;
    this.#ears = ears;
    this.#state = { up: false, reason: explain(settings, "not connected yet"), since: clock.now() };
    client.on("messageBuffer", (channel: Buffer, bytes: Buffer) => ears.message(channel.toString(), bytes));
    client.on("error", (error: Error) => this.#away(error));
    client.on("close", () => this.#away(new Error("the connection was closed")));
    client.on("ready", () => void this.#arrive());
    up.readBy((set) => set(this.#state.up ? 1 : 0));
    this.#timer = setInterval(() => void this.#probe(), probe_ms).unref();
  }

  /**
   * @param patience_ms how long a server that does not answer is waited for
   * @throws ConfigError where a setting is wrong; UnavailableError where nothing answers
   */
  static async open(settings: RedisSettings, clock: Clock, ears: Ears, patience_ms: number): Promise<Connection> {
    const { Redis } = await import("ioredis");
    const client = new Redis({
      host: settings.host,
      port: settings.port,
      db: settings.db,
      connectionName: settings.prefix.replace(/[^\w.:-]/g, "_"),
      ...(settings.username !== undefined && { username: settings.username }),
      ...(settings.password !== undefined && { password: settings.password }),
      ...(settings.tls && { tls: given(settings.tls) }),
      lazyConnect: true,
      // what cannot be asked now is refused now: whoever asks knows what to do without
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      connectTimeout: connect_ms,
      commandTimeout: command_ms,
      retryStrategy: (tries) => Math.min(100 * 2 ** (tries - 1), longestRetry_ms) * (0.5 + Math.random() / 2),
      // a server that became a replica: its name may lead to the new one by now
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
    });
    const connection = new Connection(client, settings, clock, ears);
    try {
      await connection.#arrival(patience_ms);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  get state(): State {
    return this.#state;
  }
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** @throws UnavailableError */
  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    return this.#ask(async () => {
      try {
        return await this.#client.call("EVALSHA", script.sha1, ...rest);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
        return await this.#client.call("EVAL", script.lua, ...rest);
      }
    });
  }

  /** @throws UnavailableError */
  call(command: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown> {
    return this.#ask(() => this.#client.call(command, ...args));
  }

  /** From now on, or from when it is back. */
  async subscribe(channel: string): Promise<void> {
    this.#channels.add(channel);
    if (this.#state.up) await this.#ask(() => this.#client.subscribe(channel)).catch(() => {});
  }
  async unsubscribe(channel: string): Promise<void> {
    this.#channels.delete(channel);
    if (this.#state.up) await this.#ask(() => this.#client.unsubscribe(channel)).catch(() => {});
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#client.removeAllListeners("close");
    if (this.#state.up) await this.#client.quit().catch(() => {});
    this.#client.disconnect();
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (!this.#state.up) {
      failures.add(1);
      throw this.#unavailable(this.#state.reason);
    }
    try {
      return await question();
    } catch (error) {
      failures.add(1);
      if (error instanceof Error && error.message === "Command timed out") {
        this.#away(error);
        void this.#probe();
      }
      throw this.#unavailable(explain(this.#settings, error));
    }
  }

  #unavailable(cause: Error): UnavailableError {
    return cause instanceof UnavailableError ? cause : new UnavailableError("cluster_unavailable", cause.message, { cause });
  }

  #arrival(patience_ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const patience = setTimeout(
        () => !this.#state.up && settle(() => reject(this.#unavailable((this.#state as { reason: Error }).reason))),
        patience_ms,
      );
      const settle = (how: () => void) => {
        clearTimeout(patience);
        this.#first = undefined;
        how();
      };
      this.#first = { resolve: () => settle(resolve), reject: (reason) => settle(() => reject(reason)) };
      this.#client.connect().catch(() => {});
    });
  }

  /** A server answers: it is looked at, and then used. */
  async #arrive(): Promise<void> {
    try {
      this.#warnings = checkServer(this.#settings, await this.#client.info());
      if (this.#channels.size > 0) await this.#client.subscribe(...this.#channels);
    } catch (error) {
      this.#away(error);
      return;
    }
    if (this.#state.up) return;
    this.#state = { up: true };
    if (this.#first === undefined) this.#ears.back();
    else this.#first.resolve();
  }

  #away(cause: unknown): void {
    const reason = cause instanceof ConfigError ? cause : explain(this.#settings, cause);
    // the first reason says more than that the connection was closed then
    if (this.#state.up) this.#state = { up: false, reason, since: this.#clock.now() };
    else if (!(cause instanceof Error && cause.message === "the connection was closed")) this.#state = { ...this.#state, reason };
    if (reason instanceof ConfigError) this.#first?.reject(reason);
  }

  async #probe(): Promise<void> {
    if (this.#client.status !== "ready") return;
    try {
      await this.#client.ping();
    } catch (error) {
      this.#away(error);
      this.#client.disconnect(true);
      return;
    }
    if (!this.#state.up) await this.#arrive();
  }
}
