/** The event store in memory: what it took is durable at once and stays. Stands in for DuckDB and OpenSearch, which take no simulated disk. */
import type { Event, Micros } from "@vedette/model";
import type { EncodedEvents, EventQuery, EventStore, RefusedEvent, ScanPage } from "@vedette/store";
import { rowsOfEvents } from "@vedette/store";
import { eventsOfBatch } from "../../packages/store/src/opensearch/documents.ts";

export class MemoryEvents {
  /** As readers see them. */
  readonly shown: Event[] = [];
  readonly #ids = new Map<string, number>();
  readonly #byId: boolean;
  #applied = -1;

  /** @param byId as OpenSearch keeps them: an event that comes again takes its own place; else as DuckDB does, batch by batch of one log */
  constructor(byId: boolean) {
    this.#byId = byId;
  }

  async put(offset: number, _received: Micros, encoded: EncodedEvents): Promise<readonly RefusedEvent[]> {
    if (!this.#byId && offset <= this.#applied) return [];
    this.#applied = Math.max(this.#applied, offset);
    for (const event of eventsOfBatch(encoded)) {
      const at = this.#byId ? this.#ids.get(event.id) : undefined;
      if (at === undefined) this.#ids.set(event.id, this.shown.push(event) - 1);
      else this.shown[at] = event;
    }
    return [];
  }
  async applied(): Promise<number> {
    return this.#byId ? -1 : this.#applied;
  }
  async found({ tenant, range }: EventQuery): Promise<ScanPage> {
    const events = this.shown.filter((e) => e.tenant === tenant && e.time >= range.from && e.time < range.to);
    return { rows: rowsOfEvents(events), read: this.shown.length, stored: this.shown.length, complete: range.to };
  }
}

/** As a process has it. @param asked the same store, over its wire */
export function eventStore(asked: MemoryEvents): EventStore {
  const store: Pick<EventStore, "put" | "applied" | "scan" | "seal" | "retain" | "estimate"> = {
    // its bytes are the caller's, who lets go of them when this ends: what is on its way has its own
    put: (offset, received, { count, bytes }) => asked.put(offset, received, { count, bytes: new Uint8Array(bytes) }),
    applied: () => asked.applied(),
    async *scan(query) {
      yield await asked.found(query);
    },
    seal: async () => {},
    retain: async () => ({ dropped: 0 }),
    estimate: async () => ({ stored: 0, candidates: 0, seconds: 0 }),
  };
  return store as EventStore;
}
