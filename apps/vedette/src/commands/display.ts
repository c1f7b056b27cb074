/**
 * What `up` says: on a terminal in words, with one status line that renews itself; elsewhere one JSON object a line in ECS's names, for whoever
 * collects logs. Secrets are struck out of both. Decides nothing.
 */
import { jsonText } from "@vedette/kit";
import type { Runtime } from "@vedette/pipeline";
import type { Store } from "@vedette/store";
import { safe } from "../output.ts";

const every_ms = 1_000;

export const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

export interface DisplayOptions {
  /** `auto`: JSON where nobody looks at a terminal. */
  readonly format?: "auto" | "text" | "json" | undefined;
  readonly level?: Level | undefined;
  /** Takes secrets out. */
  readonly strike?: (text: string) => string;
}
export interface Said {
  readonly level?: Level;
  /** What it is about, for filters: a code of docs/errors.md, or of a problem at /readyz. */
  readonly code?: string;
  /** The part of the program. */
  readonly component?: string;
  /** It holds the one-time address for signing in, which is meant to be read. */
  readonly asIs?: true;
}

export class Display {
  readonly #live: boolean;
  readonly #json: boolean;
  readonly #least: number;
  readonly #strike: (text: string) => string;
  #timer: NodeJS.Timeout | undefined;
  #line = "";
  /** Problems that stand, as they were said. */
  readonly #problems = new Map<string, string>();

  constructor({ format = "auto", level = "info", strike = (text) => text }: DisplayOptions = {}) {
    const terminal = process.stderr.isTTY === true;
    this.#json = format === "json" || (format === "auto" && !terminal);
    this.#live = terminal && !this.#json;
    this.#least = levels.indexOf(level);
    this.#strike = strike;
  }

  say(text: string, { level = "info", code, component, asIs }: Said = {}): void {
    if (levels.indexOf(level) < this.#least) return;
    const message = asIs ? text : this.#strike(text);
    if (this.#json) {
      const record = {
        "@timestamp": new Date().toISOString(),
        "log.level": level,
        message,
        "ecs.version": "8.11.0",
        "service.name": "vedette",
        "process.pid": process.pid,
        ...(component !== undefined && { "log.logger": component }),
        ...(code !== undefined && { "error.code": code }),
      };
      process.stderr.write(`${jsonText(record)}\n`);
      return;
    }
    if (this.#line !== "") process.stderr.write("\r\u001b[K");
    process.stderr.write(`${safe(message)}\n`);
    if (this.#line !== "") process.stderr.write(this.#line);
  }

  watch(runtime: Runtime, store: Store, tenant: string): void {
    this.#timer = setInterval(() => {
      void runtime.ready().then(
        ({ problems }) => this.tellProblems(problems),
        () => {},
      );
      if (!this.#live) return;
      void Promise.all([store.events.usage(), store.alerts.list({ tenant, states: ["open"] }, 1), runtime.lag(), runtime.ready()]).then(
        ([usage, alerts, lag, { ready, problems }]) => {
          const trouble = ready ? "" : `  NOT READY: ${problems[0]?.message ?? "starting"}`;
          this.#line = safe(
            `${runtime.rate().toFixed(0)} events/s  ${usage.events} stored  ${alerts.total} open alerts  lag ${Math.round(lag / 1_000)} ms${trouble}`,
          ).slice(0, (process.stderr.columns || 80) - 1);
          process.stderr.write(`\r\u001b[K${this.#line}`);
        },
        () => {},
      );
    }, every_ms);
    this.#timer.unref();
  }

  /** Says what has come to stand and what is over; not each second what is so already, though its figures change. */
  tellProblems(problems: readonly { readonly code: string; readonly message: string }[]): void {
    const now = new Map(problems.map(({ code, message }) => [code, message]));
    for (const [code, message] of now) if (!this.#problems.has(code)) this.say(`${code}: ${message}`, { level: "error", code });
    for (const code of this.#problems.keys()) if (!now.has(code)) this.say(`${code}: over`, { code });
    this.#problems.clear();
    for (const [code, message] of now) this.#problems.set(code, message);
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#line !== "") process.stderr.write("\n");
    this.#line = "";
  }
}
