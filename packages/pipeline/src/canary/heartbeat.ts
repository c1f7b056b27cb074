/**
 * The second path: tells a receiver elsewhere, over and over, that a canary has just come through from the intake to its alert. When none does,
 * it says so at once, and stops; who hears nothing any more raises the alarm. Knows no HTTP.
 */
import { type Clock, defineCounter, defineGauge } from "@vedette/kit";
import type { Micros, ProofReport } from "@vedette/model";

export interface HeartbeatOptions {
  /** Without it, being ready is all that is asked. */
  readonly prover: { report(): ProofReport; prove(ids: readonly string[], signal?: AbortSignal): Promise<void> } | undefined;
  readonly ready: () => Promise<{ readonly ready: boolean }>;
  readonly clock: Clock;
  readonly every: Micros;
  /** How long one canary may be under way. */
  readonly patience: Micros;
  /** Rejects when the receiver did not take it. */
  readonly send: (what: "alive" | "stopped", why: string | undefined) => Promise<void>;
  readonly onProblem: (code: "heartbeat_withheld" | "heartbeat_unsent", message: string | undefined) => void;
}

const beats = defineCounter("heartbeats_total", "Heartbeats to the receiver elsewhere, by what became of them.", ["outcome"]);
const last = defineGauge("heartbeat_last_success_timestamp_seconds", "When the receiver elsewhere last took a heartbeat; 0 for never.");

/** One rule that is silent has an alert of its own; that none of so many comes through is detection. */
const rulesAsked = 3;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #next = 0;
  #sent: Micros = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    last.readBy((set) => set(this.#sent / 1e6));
    const { clock, every } = this.#options;
    let begun = clock.now();
    while (!signal.aborted) {
      // not at once: what starts has to compile its rules first
      await clock.sleep(Math.max(0, every - (clock.now() - begun)) / 1_000, signal);
      begun = clock.now();
      const why = await this.#whyNot(signal);
      if (!signal.aborted) await this.#beat(why);
    }
  }

  /** Why no heartbeat may leave; undefined when detection works from end to end. */
  async #whyNot(signal: AbortSignal): Promise<string | undefined> {
    const { prover, patience, clock } = this.#options;
    const { ready } = await this.#options.ready();
    if (!ready) return "it is not ready";
    if (prover === undefined) return undefined;
    const rules = prover.report().rules.filter(({ state }) => state !== "unproved");
    if (rules.length === 0) return "no rule in force can be proved";
    // the same few by turns: those that were proved, before those of which it is not known
    const known = rules.filter(({ state }) => state === "proved");
    const of = known.length > 0 ? known : rules;
    const asked = Array.from({ length: Math.min(rulesAsked, of.length) }, (_, i) => of[(this.#next + i) % of.length]!.id);
    this.#next = (this.#next + 1) % of.length;
    const begun = clock.now();
    const settled = await this.#within(prover.prove(asked, signal));
    if (prover.report().rules.some(({ id, state, at = 0 }) => asked.includes(id) && state === "proved" && at >= begun)) return undefined;
    return settled ? "no canary came through" : `no canary came through within ${patience / 1e6} s`;
  }

  async #within(work: Promise<void>): Promise<boolean> {
    const done = new AbortController();
    const late = this.#options.clock.sleep(this.#options.patience / 1_000, done.signal).then(() => false);
    try {
      return await Promise.race([
        work.then(
          () => true,
          () => false,
        ),
        late,
      ]);
    } finally {
      done.abort();
    }
  }

  async #beat(why: string | undefined): Promise<void> {
    const { send, onProblem, clock } = this.#options;
    onProblem("heartbeat_withheld", why);
    try {
      await send(why === undefined ? "alive" : "stopped", why);
      if (why === undefined) this.#sent = clock.now();
      beats.add(1, why === undefined ? "sent" : "withheld");
      onProblem("heartbeat_unsent", undefined);
    } catch (e) {
      beats.add(1, "failed");
      onProblem("heartbeat_unsent", (e as Error).message);
    }
  }
}
