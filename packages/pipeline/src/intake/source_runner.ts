/** Keeps configured sources running: starts, restarts with back-off, remembers what went wrong. Knows no concrete source. */
import { type Clock, ConfigError, type Intake, type SourceSpec } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Intakes } from "./intakes.ts";

export interface ConfiguredSource {
  readonly name: string;
  readonly type: string;
  readonly config: unknown;
  readonly format?: string;
  readonly formatConfig?: unknown;
  /** What stands between it and the log: its quota. */
  readonly limit?: (intake: Intake) => Intake;
}

export interface RunningSource {
  readonly name: string;
  readonly type: string;
  state: "running" | "idle" | "failed" | "stopped";
  readonly warnings: { readonly at: number; readonly code: string; readonly message: string; readonly count: number }[];
}

const maxWarnings = 50;
const maxBackoff_ms = 30_000;

export class SourceRunner {
  readonly running = new Map<string, RunningSource>();
  readonly #specs: ReadonlyMap<string, SourceSpec>;
  readonly #intakes: Intakes;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #tasks: Promise<void>[] = [];

  constructor(specs: ReadonlyMap<string, SourceSpec>, intakes: Intakes, log: Log, clock: Clock) {
    this.#specs = specs;
    this.#intakes = intakes;
    this.#log = log;
    this.#clock = clock;
  }

  /** @throws ConfigError for an unknown type or a configuration that does not fit. */
  start(source: ConfiguredSource, signal: AbortSignal): Promise<void> {
    const spec = this.#specs.get(source.type);
    if (!spec)
      throw new ConfigError(
        "config_invalid",
        `sources.${source.name}: unknown type ${source.type}; known: ${[...this.#specs.keys()].join(", ")}`,
      );
    const parsed = spec.config.safeParse(source.config ?? {});
    if (!parsed.success)
      throw new ConfigError(
        "config_invalid",
        `sources.${source.name}.${source.type}: ${parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ")}`,
      );
    const entry: RunningSource = { name: source.name, type: source.type, state: "running", warnings: [] };
    this.running.set(source.name, entry);
    const task = this.#keep(spec, source, parsed.data, entry, signal);
    this.#tasks.push(task);
    return task;
  }

  warn(name: string, code: string, message: string): void {
    const warnings = this.running.get(name)?.warnings;
    if (!warnings) return;
    const same = warnings.findIndex((one) => one.code === code && one.message === message);
    const [before] = same < 0 ? [] : warnings.splice(same, 1);
    warnings.push({ at: this.#clock.now(), code, message, count: (before?.count ?? 0) + 1 });
    if (warnings.length > maxWarnings) warnings.shift();
  }

  async stopped(): Promise<void> {
    await Promise.allSettled(this.#tasks);
  }

  async #keep(spec: SourceSpec, source: ConfiguredSource, config: unknown, entry: RunningSource, signal: AbortSignal): Promise<void> {
    const unlimited = this.#intakes.open({
      source: source.name,
      ...(source.format === undefined ? {} : { format: source.format, formatConfig: source.formatConfig }),
    });
    const intake = source.limit?.(unlimited) ?? unlimited;
    const prefix = `${source.name}/`;
    for (let delay_ms = 500; !signal.aborted; delay_ms = Math.min(delay_ms * 2, maxBackoff_ms)) {
      try {
        // of a log that is away nobody knows them: that is no reason to give the source up
        const all = await this.#log.positions();
        const positions = new Map(
          [...all].flatMap(([stream, at]) => (stream.startsWith(prefix) ? [[stream.slice(prefix.length), at] as const] : [])),
        );
        entry.state = "running";
        await spec.run({
          name: source.name,
          config,
          intake,
          positions,
          clock: this.#clock,
          warn: (code, message) => this.warn(source.name, code, message),
          signal,
        });
        entry.state = "stopped";
        return;
      } catch (e) {
        if (signal.aborted) break;
        entry.state = "failed";
        this.warn(source.name, (e as { code?: string }).code ?? "failed", (e as Error).message);
        if ((e as { permanent?: boolean }).permanent) return;
        await this.#clock.sleep(delay_ms, signal);
      }
    }
    entry.state = "stopped";
  }
}
