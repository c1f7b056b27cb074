/** Which field names events have been seen to carry, for completion and for spotting typing errors. Knows no schema. */
import { always, type View } from "@vedette/condition";
import type { Clock } from "@vedette/kit";
import type { Event, Micros } from "@vedette/model";
import type { EventStore } from "@vedette/store";

/** Distinct names kept; ECS has about 1,900. */
const maxFields = 4_000;
/** How many of the newest events are looked at, and how often. */
const sample = 500;
const every: Micros = 60_000_000;

export class KnownFields {
  readonly #names = new Set<string>(["@timestamp"]);
  readonly #events: EventStore;
  readonly #tenant: string;
  readonly #clock: Clock;
  #next = 0;

  constructor(events: EventStore, tenant: string, clock: Clock) {
    this.#events = events;
    this.#tenant = tenant;
    this.#clock = clock;
  }

  learn(events: readonly Event[]): void {
    for (const event of events) {
      if (this.#names.size >= maxFields) return;
      for (const name in event.fields) this.#names.add(name);
    }
  }

  /** Sorted. Looks at the newest events first when it has not for a minute. Who sees a part of the events is told of those names only. */
  async list(signal: AbortSignal, view?: View): Promise<readonly string[]> {
    const now = this.#clock.now();
    const newest = { tenant: this.#tenant, range: { from: 0, to: now + every }, where: always, limit: sample };
    if (view !== undefined) {
      const { events } = await this.#events.search({ ...newest, view }, signal);
      return [...new Set(["@timestamp", ...events.flatMap((event) => Object.keys(event.fields))])].sort();
    }
    if (now >= this.#next) {
      const page = await this.#events.search(newest, signal);
      this.learn(page.events);
      this.#next = now + every;
    }
    return [...this.#names].sort();
  }
}
