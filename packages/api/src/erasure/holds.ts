/** Legal holds: cases whose events are kept whatever their age, until somebody releases them. Knows no partition. */
import { parseQuery } from "@vedette/condition";
import { auditTenant, BadInputError, type Clock, idOf, inTurn, VedetteError } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { EventHold, Store, TimeRange } from "@vedette/store";

/** What is held: the events of alerts' evidence, those that a query finds within a range, or both. */
export interface HeldCase {
  readonly alerts: readonly string[];
  readonly query?: { readonly q: string; readonly range: TimeRange };
}
interface Done {
  readonly by: string;
  readonly at: Micros;
  readonly reason: string;
}
export interface Hold extends HeldCase, Done {
  readonly id: string;
  readonly released?: Done;
}

const document = "holds";
/** Each is asked of every file that is due to go. */
const maxInForce = 200;
/** Released ones are kept for who asks later; the audit trail has all of them. */
const maxReleased = 1_000;

export class Holds {
  readonly #store: Pick<Store, "settings" | "alerts">;
  readonly #clock: Clock;
  readonly #tenant: string;
  readonly #after = inTurn();

  constructor(store: Pick<Store, "settings" | "alerts">, clock: Clock, tenant: string) {
    this.#store = store;
    this.#clock = clock;
    this.#tenant = tenant;
  }

  /** Newest first; read anew each time, since another process may have changed them. */
  async list(): Promise<readonly Hold[]> {
    return JSON.parse((await this.#store.settings.get(document)) ?? "[]") as readonly Hold[];
  }

  /** @throws BadInputError `bad_request`, `not_found` for an alert that there is not; VedetteError `conflict` where there are too many */
  add(held: HeldCase, { by, reason }: Omit<Done, "at">): Promise<Hold> {
    return this.#after(async () => {
      if (held.alerts.length === 0 && held.query === undefined)
        throw new BadInputError("bad_request", "expected what is held: alerts, or q with from and to");
      for (const id of held.alerts)
        if ((await this.#store.alerts.get(this.#tenant, id)) === undefined)
          throw new BadInputError("not_found", `there is no alert ${id.slice(0, 80)}`);
      const all = await this.list();
      if (all.filter((one) => one.released === undefined).length >= maxInForce)
        throw new VedetteError("conflict", true, `there are ${maxInForce} holds in force; release some first`);
      const at = this.#clock.now();
      const hold: Hold = { id: `h${idOf("hold", at, all.length, reason).slice(0, 10)}`, ...held, by, at, reason };
      await this.#save([hold, ...all]);
      return hold;
    });
  }

  /** @throws BadInputError `not_found`; VedetteError `conflict` for one that was released before */
  release(id: string, { by, reason }: Omit<Done, "at">): Promise<Hold> {
    return this.#after(async () => {
      const all = await this.list();
      const hold = all.find((one) => one.id === id);
      if (hold === undefined) throw new BadInputError("not_found", "there is no hold with this id");
      if (hold.released !== undefined) throw new VedetteError("conflict", true, "this hold was released before");
      const released: Hold = { ...hold, released: { by, at: this.#clock.now(), reason } };
      await this.#save(all.map((one) => (one === hold ? released : one)));
      return released;
    });
  }

  /** What the event store must keep, as the alerts are now: an open case may have gained evidence. */
  async inForce(): Promise<readonly EventHold[]> {
    return (await this.inForceByName()).map(({ hold }) => hold);
  }

  /** The same with the ids of the holds. */
  async inForceByName(): Promise<readonly { readonly name: string; readonly hold: EventHold }[]> {
    const tenants = [this.#tenant, auditTenant(this.#tenant)];
    const holds: { readonly name: string; readonly hold: EventHold }[] = [];
    for (const { id: name, released, alerts, query } of await this.list()) {
      if (released !== undefined) continue;
      for (const id of alerts) {
        const evidence = (await this.#store.alerts.get(this.#tenant, id))?.evidence ?? [];
        if (evidence.length === 0) continue;
        const times = evidence.map(({ time }) => time);
        const range = { from: Math.min(...times), to: Math.max(...times) + 1 };
        holds.push({ name, hold: { tenants, range, ids: evidence.map((one) => one.id) } });
      }
      const read = query && parseQuery(query.q);
      if (query !== undefined && read?.ok) holds.push({ name, hold: { tenants, range: query.range, ids: [], where: read.query.where } });
    }
    return holds;
  }

  async #save(all: readonly Hold[]): Promise<void> {
    let released = 0;
    const kept = all.filter((one) => one.released === undefined || released++ < maxReleased);
    await this.#store.settings.set(document, JSON.stringify(kept));
  }
}
