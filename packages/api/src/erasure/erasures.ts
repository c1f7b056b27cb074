/**
 * Erasure: what is stored of somebody or something goes for good: events, what alerts quote of them, where asked for the content of audit records.
 * What a legal hold keeps stays. What is begun is finished, also by whoever starts next. Knows no route and no file.
 */
import { createHash } from "node:crypto";
import type { AuditTrail } from "@vedette/audit";
import { BadInputError, type Clock, idOf, inTurn, VedetteError } from "@vedette/kit";
import type { Alert, EvidenceEvent, Micros } from "@vedette/model";
import { decided, eventsOfPage, type Store } from "@vedette/store";
import { erasedAlert } from "./erased_alert.ts";
import { type Erased, type ErasedQuestion, erasedBy } from "./erased_by.ts";
import type { Holds } from "./holds.ts";

export interface ErasureRequest extends ErasedQuestion {
  readonly by: string;
  readonly reason: string;
}
interface Counts {
  readonly events: number;
  /** Events that satisfy the question and stay, since a hold keeps them. */
  readonly held: number;
  /** Alerts that quoted some of it. */
  readonly alerts: number;
  /** Records of the audit trail. */
  readonly records: number;
}
export interface Erasure extends Omit<ErasureRequest, "q">, Counts {
  readonly id: string;
  readonly at: Micros;
  /** While it runs: afterwards the question would be the last place to name who was erased. */
  readonly q?: string;
  /** SHA-256 of the question, hex. */
  readonly digest: string;
  readonly state: "running" | "done" | "failed";
  readonly ended?: Micros;
  readonly problem?: string;
}
export type ErasurePreview = Counts & {
  /** Holds that keep something of it. */
  readonly holds: readonly string[];
};

const document = "erasures";
/** Ended ones are kept for who asks later; the audit trail has all of them. */
const maxEnded = 1_000;
const maxRunning = 20;
/** Events taken away at once: a file is written anew for each time some of it go. Some 20 MB of ids. */
const atOnce = 200_000;
/** Gone through until nothing is found any more: another process may hold a part that it has not sealed. */
const maxRounds = 3;
const alertsAtOnce = 200;
/** How often somebody may change an alert between our look and our change. */
const maxTries = 20;
/** What is left over is looked for again so often; files of an hour are sealed soon after it. */
const againAfter_ms = 600_000;

export interface ErasuresOptions {
  readonly store: Pick<Store, "events" | "alerts" | "settings">;
  readonly holds: Holds;
  readonly trail: Pick<AuditTrail, "record" | "count" | "erase">;
  readonly clock: Clock;
  readonly tenant: string;
}

export class Erasures {
  readonly #options: ErasuresOptions;
  readonly #after = inTurn();
  readonly #works = inTurn();
  readonly #stopped = new AbortController();

  constructor(options: ErasuresOptions) {
    this.#options = options;
  }

  /** Newest first; read anew each time, since another process may have changed them. */
  async list(): Promise<readonly Erasure[]> {
    return JSON.parse((await this.#options.store.settings.get(document)) ?? "[]") as readonly Erasure[];
  }

  /** What it would come to; changes nothing. */
  async preview(request: ErasureRequest, signal?: AbortSignal): Promise<ErasurePreview> {
    const what = await this.#what(request);
    let [events, held] = [0, 0];
    const holds = new Set<string>();
    for await (const { id, holding } of this.#found(what, signal)) {
      if (id !== undefined) events++;
      else held++;
      for (const one of holding) holds.add(one);
    }
    let alerts = 0;
    for await (const alert of this.#alerts()) if (this.#erased(alert, what, new Set())) alerts++;
    const records = request.audit ? await this.#options.trail.count((record) => what.ofTrail(record)) : 0;
    return { events, held, alerts, records, holds: [...holds].sort() };
  }

  /** Returns once it is kept that it is to be done. @throws BadInputError `bad_request`; VedetteError `conflict` where too many run */
  async start(request: ErasureRequest): Promise<Erasure> {
    const { clock } = this.#options;
    if (request.range.to > clock.now())
      throw new BadInputError("bad_request", "to: expected a time that has passed; what is still to come is not erased");
    await this.#what(request);
    const made = await this.#after(async () => {
      const all = await this.list();
      if (all.filter(({ state }) => state === "running").length >= maxRunning)
        throw new VedetteError("conflict", true, `${maxRunning} erasures are running; wait for one to end`);
      const at = clock.now();
      const digest = createHash("sha256").update(request.q).digest("hex");
      const id = `x${idOf("erasure", at, all.length, digest).slice(0, 10)}`;
      const one: Erasure = { id, at, digest, state: "running", events: 0, held: 0, alerts: 0, records: 0, ...request };
      await this.#save([one, ...all]);
      return one;
    });
    void this.#works(() => this.#proceed(made.id));
    return made;
  }

  /** Finishes what was begun, by whomever, until told to stop. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#stopped.abort());
    while (!signal.aborted) {
      for (const { id, state } of await this.list().catch(() => [])) if (state === "running") await this.#works(() => this.#proceed(id));
      await this.#options.clock.sleep(againAfter_ms, signal);
    }
    await this.#works(async () => {});
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#works(async () => {});
  }

  async #proceed(id: string): Promise<void> {
    const { signal } = this.#stopped;
    try {
      const one = (await this.list()).find((each) => each.id === id);
      if (one?.q === undefined || one.state !== "running" || signal.aborted) return;
      const finished = await this.#erase({ ...one, q: one.q }, signal);
      if (finished) await this.#end(id, "done");
    } catch (e) {
      if (signal.aborted) return;
      // what passes by itself is tried again later
      if (e instanceof VedetteError && !e.permanent) await this.#note(id, { problem: e.message }).catch(() => {});
      else await this.#end(id, "failed", (e as Error).message).catch(() => {});
    }
  }

  /** @returns whether nothing is left */
  async #erase(one: ErasureRequest & Erasure & { readonly q: string }, signal: AbortSignal): Promise<boolean> {
    const what = await this.#what(one);
    for (let round = 0; round < maxRounds; round++) {
      const found = await this.#round(one.id, what, signal);
      if (!found) break;
      if (round === maxRounds - 1) return false;
    }
    await this.#fromAlerts(one.id, what, new Set());
    if (one.audit) {
      const { by, reason } = one;
      const records = await this.#options.trail.erase((record) => what.ofTrail(record), { by, reason });
      await this.#add(one.id, { records });
    }
    return true;
  }

  /** Goes through the events once. Alerts first: of events that are gone nobody could tell any more which alerts quote them. */
  async #round(erasure: string, what: Erased, signal: AbortSignal): Promise<boolean> {
    let any = false;
    let held = 0;
    const ids = new Map<string, string[]>();
    let count = 0;
    const flush = async () => {
      if (count === 0) return;
      any = true;
      await this.#fromAlerts(erasure, what, new Set([...ids.values()].flat()));
      for (const [tenant, some] of ids)
        await this.#add(erasure, { events: await this.#options.store.events.remove(tenant, some, what.range) });
      ids.clear();
      count = 0;
    };
    for await (const { tenant, id } of this.#found(what, signal)) {
      if (id === undefined) {
        held++;
        continue;
      }
      const some = ids.get(tenant);
      if (some === undefined) ids.set(tenant, [id]);
      else some.push(id);
      if (++count >= atOnce) await flush();
    }
    await flush();
    await this.#note(erasure, { held });
    return any;
  }

  /** Events that satisfy the question; those that a hold keeps without their id. */
  async *#found(what: Erased, signal?: AbortSignal) {
    for (const tenant of what.tenants)
      for await (const page of this.#options.store.events.scan({ tenant, range: what.range, where: what.where }, signal))
        for (const event of eventsOfPage(page)) {
          if (!what.test(event)) continue;
          const holding = what.holds.filter((hold) => hold.keeps(event)).map(({ name }) => name);
          yield { tenant, holding, ...(holding.length === 0 && { id: event.id }) };
        }
  }

  async *#alerts(): AsyncGenerator<Alert> {
    for (let after = 0; ; ) {
      const some = await this.#options.store.alerts.changed(after, alertsAtOnce);
      for (const { alert } of some) yield alert;
      if (some.length < alertsAtOnce) return;
      after = some.at(-1)!.serial;
    }
  }

  #erased(alert: Alert, what: Erased, ids: ReadonlySet<string>): Alert | undefined {
    if (alert.tenant !== this.#options.tenant) return undefined;
    const within = ({ time }: EvidenceEvent) => time >= what.range.from && time < what.range.to;
    const isGone = (one: EvidenceEvent) =>
      ids.has(one.id) || (within(one) && decided(what.where, one) === true && !what.holds.some((hold) => hold.mayKeep(one)));
    return erasedAlert(alert, isGone, this.#options.clock.now(), "evidence was erased");
  }

  async #fromAlerts(erasure: string, what: Erased, ids: ReadonlySet<string>): Promise<void> {
    const { alerts } = this.#options.store;
    let changed = 0;
    // changing one moves it to the end of the order that is gone through, where it has nothing left to erase
    for await (const first of this.#alerts()) {
      let alert: Alert | undefined = first;
      for (let tries = 0; alert !== undefined && tries < maxTries; tries++) {
        const erased = this.#erased(alert, what, ids);
        if (erased === undefined) break;
        if (await alerts.replace(erased, alert.updated)) {
          changed++;
          break;
        }
        if (tries === maxTries - 1) throw new VedetteError("conflict", false, `alert ${alert.id} is changed by others all the time`);
        alert = await alerts.get(alert.tenant, alert.id);
      }
    }
    if (changed > 0) await this.#add(erasure, { alerts: changed });
  }

  async #what(request: ErasureRequest): Promise<Erased> {
    const { tenant, holds } = this.#options;
    return erasedBy(request, tenant, await holds.inForceByName());
  }

  async #end(id: string, state: "done" | "failed", problem?: string): Promise<void> {
    const ended = await this.#note(id, { state, ended: this.#options.clock.now(), q: undefined, problem });
    if (ended === undefined) return;
    const { by, reason, events, held, alerts, records } = ended;
    await this.#options.trail.record({
      action: "erasure_ended",
      outcome: state === "done" ? "success" : "failure",
      by: { user: by },
      fields: {
        "vedette.audit.erasure": id,
        "vedette.audit.reason": reason,
        "vedette.audit.events": events,
        "vedette.audit.held": held,
        "vedette.audit.alerts": alerts,
        "vedette.audit.records": records,
      },
    });
  }

  #add(id: string, more: Partial<Counts>): Promise<unknown> {
    return this.#change(id, (one) => ({
      ...one,
      events: one.events + (more.events ?? 0),
      alerts: one.alerts + (more.alerts ?? 0),
      records: one.records + (more.records ?? 0),
    }));
  }
  #note(id: string, told: { readonly [K in keyof Erasure]?: Erasure[K] | undefined }): Promise<Erasure | undefined> {
    return this.#change(id, (one) => ({ ...one, ...told }) as Erasure);
  }
  #change(id: string, change: (one: Erasure) => Erasure): Promise<Erasure | undefined> {
    return this.#after(async () => {
      const all = await this.list();
      const found = all.find((one) => one.id === id);
      if (found === undefined) return undefined;
      const changed = change(found);
      await this.#save(all.map((one) => (one === found ? changed : one)));
      return changed;
    });
  }

  async #save(all: readonly Erasure[]): Promise<void> {
    let ended = 0;
    const kept = all.filter(({ state }) => state === "running" || ended++ < maxEnded);
    await this.#options.store.settings.set(document, JSON.stringify(kept));
  }
}
