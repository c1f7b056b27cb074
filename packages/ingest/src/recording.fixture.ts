/** Test doubles of the runtime: an intake that records, a clock that only a test moves. */
import {
  type Accepted,
  type AcceptOptions,
  type Clock,
  type Intake,
  type SourceContext,
  type SourceSpec,
  UnavailableError,
} from "@vedette/kit";
import type { RawRecord } from "@vedette/model";

export interface Accept {
  readonly records: readonly RawRecord[];
  readonly stream: string;
  readonly preamble: string | undefined;
  readonly position: string | undefined;
}

/** Remembers what it accepted; can be full for a while, and can die. */
export class RecordingIntake implements Intake {
  readonly accepts: Accept[] = [];
  readonly positions = new Map<string, string>();
  readonly seen = new Set<string>();
  readonly lost: { [reason: string]: number } = {};
  /** This many calls are refused with back-pressure. */
  refuse = 0;
  /** After this many more accepted calls every call fails as in a crash. */
  dieAfter = Number.POSITIVE_INFINITY;

  async accept(records: readonly RawRecord[], options: AcceptOptions = {}): Promise<Accepted> {
    await Promise.resolve();
    if (this.dieAfter <= 0) throw new Error("died");
    if (this.refuse > 0) {
      this.refuse--;
      throw new UnavailableError("backpressure", "full");
    }
    this.dieAfter--;
    const stream = options.stream ?? "";
    // Bodies are only lent: what is kept is copied.
    const copies = records.map((record) => ({ ...record, body: Buffer.from(record.body) }));
    this.accepts.push({ records: copies, stream, preamble: options.preamble, position: options.position });
    for (const [reason, n] of Object.entries(options.lost ?? {})) this.lost[reason] = (this.lost[reason] ?? 0) + n;
    if (options.position !== undefined) this.positions.set(stream, options.position);
    const duplicates = records.flatMap((record, index) => {
      if (record.id === undefined || !this.seen.has(record.id)) {
        if (record.id !== undefined) this.seen.add(record.id);
        return [];
      }
      return [index];
    });
    return { duplicates };
  }

  get records(): RawRecord[] {
    return this.accepts.flatMap((accept) => accept.records);
  }
  get texts(): string[] {
    return this.records.map((record) => Buffer.from(record.body).toString());
  }
  /** Text by position, as a reader that overwrites by id sees it. */
  get distinct(): Map<string, string> {
    return new Map(this.records.map((record) => [record.position, Buffer.from(record.body).toString("latin1")]));
  }
}

/** Time stands still but for `pass`; every sleep waits for it. */
export class ManualClock implements Clock {
  #now = 1_700_000_000_000_000;
  #sleeper: { readonly ms: number; readonly wake: () => void } | undefined;
  #asleep: (() => void) | undefined;

  now(): number {
    return this.#now;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleeper = undefined;
        resolve();
      };
      signal?.addEventListener("abort", wake, { once: true });
      this.#sleeper = { ms, wake };
      this.#asleep?.();
    });
  }
  /** Resolves when somebody sleeps. */
  async sleeping(): Promise<void> {
    if (this.#sleeper !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#asleep = resolve;
    });
    this.#asleep = undefined;
  }
  /** Lets the sleeper sleep for at least `ms` and waits until somebody sleeps again. */
  async pass(ms = 0): Promise<void> {
    await this.sleeping();
    this.#now += Math.max(ms, this.#sleeper!.ms) * 1_000;
    this.#sleeper!.wake();
    await this.sleeping();
  }
}

/** A source running against the doubles. */
export class SourceRun {
  readonly intake: RecordingIntake;
  readonly clock: ManualClock;
  readonly warnings: string[] = [];
  readonly #stop = new AbortController();
  /** Resolves when the source has ended, with the error it died of, if any. */
  readonly ended: Promise<Error | undefined>;

  constructor(spec: SourceSpec, config: object, intake = new RecordingIntake(), clock = new ManualClock()) {
    this.intake = intake;
    this.clock = clock;
    const context: SourceContext<unknown> = {
      name: "test",
      config: spec.config.parse(config),
      intake,
      positions: new Map(intake.positions),
      clock,
      warn: (code) => this.warnings.push(code),
      signal: this.#stop.signal,
    };
    this.ended = spec.run(context as never).then(
      () => undefined,
      (error: Error) => error,
    );
  }
  /** Lets the source look `times` times, `ms` apart (at least its own interval). */
  async look(times = 1, ms = 1_000): Promise<void> {
    for (let i = 0; i < times; i++) await Promise.race([this.clock.pass(ms), this.ended]);
  }
  /** @throws what the source died of. */
  async stop(): Promise<void> {
    await Promise.race([this.clock.sleeping(), this.ended]);
    this.#stop.abort();
    const error = await this.ended;
    if (error !== undefined) throw error;
  }
}
