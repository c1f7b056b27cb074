/** How long an alert takes, sample by sample: a failed login is written to a file that the program follows, and its alert awaited on the event stream. Knows nothing of what else goes on. */
import { appendFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { Program } from "./program.ts";

/** brute_force's default threshold: the sixth failure raises the alert. */
const threshold = 6;
/** Addresses whose first failures are written at once: few enough that none leaves the detector's window of 300 s. */
const primed = 25;
/** A sample that takes longer counts as this long, and as missed. */
export const patience_ms = 10_000;

const addressOf = (n: number): string => `198.18.${Math.floor(n / 250)}.${(n % 250) + 1}`;

function failedLogin(address: string): string {
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const now = new Date();
  const stamp = `${months[now.getUTCMonth()]} ${String(now.getUTCDate()).padStart(2)} ${now.toISOString().slice(11, 19)}`;
  return `${stamp} bench sshd[4242]: Failed password for root from ${address} port 40022 ssh2\n`;
}

/**
 * Writes one address's last failure after another to a followed file.
 * @param first addresses before it were used
 * @returns milliseconds until each alert was on the stream
 */
export async function sample(auth: string, alerts: Alerts, samples: number, first = 0): Promise<number[]> {
  const latencies: number[] = [];
  for (let n = 0; n < samples; n++) {
    if (n % primed === 0) {
      let lines = "";
      for (let p = n; p < Math.min(samples, n + primed); p++) lines += failedLogin(addressOf(first + p)).repeat(threshold - 1);
      appendFileSync(auth, lines);
      await new Promise((r) => setTimeout(r, 2_000));
    }
    const seen = alerts.seen(addressOf(first + n));
    const written = performance.now();
    appendFileSync(auth, failedLogin(addressOf(first + n)));
    latencies.push(Math.min(patience_ms, (await seen) - written));
    // spread over the ticks and polls of the program, so that no phase of theirs is favoured
    await new Promise((r) => setTimeout(r, 50 + ((n * 37) % 200)));
  }
  return latencies;
}

/** The alerts of /api/v1/stream as they arrive. */
export class Alerts {
  #text = "";
  readonly #waiting = new Map<string, (at: number) => void>();
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.on("error", () => {});
    response.setEncoding("utf8").on("data", (chunk: string) => this.#take(chunk));
  }

  static open(program: Program): Promise<Alerts> {
    return new Promise((resolve, reject) => {
      const asking = request(
        `${program.url}/api/v1/stream`,
        { headers: { ...program.headers, accept: "text/event-stream" } },
        (response) => (response.statusCode === 200 ? resolve(new Alerts(response)) : reject(new Error(`stream: ${response.statusCode}`))),
      );
      asking.once("error", reject);
      asking.end();
    });
  }

  /** @returns when the first alert that names the address arrived, on performance.now()'s clock; Infinity after a time */
  seen(address: string): Promise<number> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(Number.POSITIVE_INFINITY), patience_ms);
      this.#waiting.set(address, (at) => {
        clearTimeout(late);
        resolve(at);
      });
    });
  }

  close(): void {
    this.#response.destroy();
  }

  #take(chunk: string): void {
    const at = performance.now();
    this.#text += chunk;
    for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
      const frame = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      if (!frame.includes("event: alert")) continue;
      const address = /198\.18\.\d+\.\d+/.exec(frame)?.[0];
      if (address === undefined) continue;
      this.#waiting.get(address)?.(at);
      this.#waiting.delete(address);
    }
  }
}
