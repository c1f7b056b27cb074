/** What `up` shows in the terminal: messages, and on a terminal one status line that renews itself. */
import type { Runtime } from "@vedette/pipeline";
import type { Store } from "@vedette/store";
import { safe } from "../output.ts";

const every_ms = 1_000;

export class Display {
  readonly #live = process.stderr.isTTY === true;
  #timer: NodeJS.Timeout | undefined;
  #line = "";

  say(text: string): void {
    if (this.#line !== "") process.stderr.write("\r\u001b[K");
    process.stderr.write(`${safe(text)}\n`);
    if (this.#line !== "") process.stderr.write(this.#line);
  }

  watch(runtime: Runtime, store: Store, tenant: string): void {
    if (!this.#live) return;
    this.#timer = setInterval(() => {
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

  stop(): void {
    clearInterval(this.#timer);
    if (this.#line !== "") process.stderr.write("\n");
    this.#line = "";
  }
}
