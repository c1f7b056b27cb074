/** The figures of the front page, gathered at most once a second however many ask. Knows no request. */
import type { Clock } from "@vedette/kit";
import { type Micros, type Severity, severities } from "@vedette/model";
import type { Store } from "@vedette/store";
import type { RuntimePort } from "./ports.ts";
import { formatTime } from "./time.ts";

const second: Micros = 1_000_000;
/** Open alerts are counted again after each change, and this often for changes made elsewhere. */
const recountAlerts: Micros = 10 * second;
/** Counting demo events reads the whole store: often only while they arrive, and not at all once there are none. */
const recountDemo = { running: 2 * second, idle: 60 * second, none: Number.POSITIVE_INFINITY };
/** What the rest of the figures waits for that count. */
const patience_ms = 250;

/** Remembers one answer and shares one computation between all who ask meanwhile. */
class Remembered<T> {
  readonly #make: () => Promise<T>;
  readonly #clock: Clock;
  #value: { readonly is: T } | undefined;
  #until = 0;
  #pending: Promise<T> | undefined;
  constructor(clock: Clock, make: () => Promise<T>) {
    this.#make = make;
    this.#clock = clock;
  }
  /** The answer, computed anew when it is older than `age`. */
  get(age: Micros): Promise<T> {
    if (this.#pending !== undefined) return this.#pending;
    if (this.#value !== undefined && this.#clock.now() < this.#until) return Promise.resolve(this.#value.is);
    this.#until = Number.POSITIVE_INFINITY;
    this.#pending = this.#make().then(
      (is) => {
        this.#value = { is };
        this.#pending = undefined;
        // forgotten while it was being computed: it holds, but not for long
        this.#until = Math.min(this.#until, this.#clock.now() + age);
        return is;
      },
      (error: unknown) => {
        this.#pending = undefined;
        this.#until = 0;
        throw error;
      },
    );
    return this.#pending;
  }
  /** The last answer, however old. */
  get last(): T | undefined {
    return this.#value?.is;
  }
  forget(): void {
    this.#until = 0;
  }
}

export interface StatusOptions {
  readonly store: Store;
  readonly runtime: RuntimePort;
  readonly clock: Clock;
  readonly version: string;
  readonly tenant: string;
}

export class StatusReport {
  readonly #options: StatusOptions;
  readonly #open: Remembered<{ [s in Severity]: number }>;
  readonly #demo: Remembered<number>;
  readonly #all: Remembered<Awaited<ReturnType<StatusReport["gather"]>>>;

  constructor(options: StatusOptions) {
    this.#options = options;
    this.#open = new Remembered(options.clock, () => this.#openAlerts());
    this.#demo = new Remembered(options.clock, () => this.#demoEvents());
    this.#all = new Remembered(options.clock, () => this.gather());
  }

  /** At most a second old. */
  get(): ReturnType<StatusReport["gather"]> {
    return this.#all.get(second);
  }
  /** An alert was made or changed. */
  alertsChanged(): void {
    this.#open.forget();
  }
  demoChanged(): void {
    this.#demo.forget();
    this.#all.forget();
  }

  /** Gathers afresh. */
  async gather() {
    const { store, runtime, version } = this.#options;
    const [usage, log, lag, ready, open, demo] = await Promise.all([
      store.events.usage(),
      runtime.logBytes(),
      runtime.lag(),
      runtime.ready(),
      this.#open.get(recountAlerts),
      this.#demoCount(),
    ]);
    return {
      version,
      started: formatTime(runtime.started),
      events: usage.events,
      rate: runtime.rate(),
      lag_ms: Math.round(lag / 1000),
      alerts: { open },
      disk: {
        log_bytes: log,
        open_bytes: usage.openBytes,
        sealed_bytes: usage.sealedBytes,
        original_bytes: usage.originalBytes,
      },
      ...(usage.restoring && {
        restoring: {
          partitions: usage.restoring.partitions,
          events: usage.restoring.events,
          oldest: formatTime(usage.restoring.oldest),
          newest: formatTime(usage.restoring.newest),
        },
      }),
      demo: { present: demo > 0 || runtime.demoRunning, running: runtime.demoRunning, events: demo },
      ready: ready.ready,
      problems: ready.problems,
    };
  }

  async #openAlerts(): Promise<{ [s in Severity]: number }> {
    const { store, tenant } = this.#options;
    const count = async (severity: Severity) => {
      const { total } = await store.alerts.list({ tenant, states: ["open"], severities: [severity] }, 1);
      return [severity, total] as const;
    };
    return Object.fromEntries(await Promise.all(severities.map(count))) as { [s in Severity]: number };
  }

  async #demoCount(): Promise<number> {
    const { runtime, clock } = this.#options;
    const { running, idle, none } = recountDemo;
    if (runtime.demoRunning && this.#demo.last === 0) this.#demo.forget();
    const count = this.#demo.get(runtime.demoRunning ? running : this.#demo.last === 0 ? none : idle);
    const answered = new AbortController();
    const late = clock.sleep(patience_ms, answered.signal).then(() => this.#demo.last ?? 0);
    // it goes on by itself when it is late; how it fails is told to whoever asks next
    count.catch(() => undefined);
    try {
      return await Promise.race([count, late]);
    } finally {
      answered.abort();
    }
  }

  async #demoEvents(): Promise<number> {
    const { store, tenant, clock } = this.#options;
    const [row] = await store.events.stats({
      tenant,
      // events may carry clocks that are ahead
      range: { from: 0, to: clock.now() + 366 * 86_400 * second },
      where: { op: "eq", field: "vedette.demo", value: true },
      aggregates: [{ fn: "count", as: "n" }],
      by: [],
      limit: 1,
    });
    return Number(row?.["n"] ?? 0);
  }
}
