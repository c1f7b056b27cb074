/** A line on the terminal that says how far a long command is; nothing where no person looks. */
import { safe } from "./output.ts";

const every_ms = 200;
const barWidth = 24;

export class Progress {
  readonly #shown = process.stderr.isTTY === true;
  readonly #total: number;
  readonly #started = performance.now();
  #drawn = 0;

  /** @param total what 100 % is, in any unit; 0 when nobody knows */
  constructor(total: number) {
    this.#total = total;
  }

  at(done: number, text: string): void {
    if (!this.#shown) return;
    const now = performance.now();
    if (now - this.#drawn < every_ms) return;
    this.#drawn = now;
    const share = this.#total > 0 ? Math.min(1, done / this.#total) : undefined;
    const bar =
      share === undefined ? "" : `[${"#".repeat(Math.round(share * barWidth)).padEnd(barWidth, ".")}] ${Math.round(share * 100)} %  `;
    const seconds = ((now - this.#started) / 1_000).toFixed(0);
    const line = safe(`${bar}${text}  ${seconds} s`).slice(0, (process.stderr.columns || 80) - 1);
    process.stderr.write(`\r\u001b[K${line}`);
  }

  /** Takes the line away, for output or the end. */
  clear(): void {
    if (this.#shown && this.#drawn > 0) process.stderr.write("\r\u001b[K");
    this.#drawn = 0;
  }
}
