/**
 * Keeps several servers of one installation at one mind about people, sessions, keys and source tokens: who changes some says so, the others read
 * them again. The store has the truth; a lost notice is made up for by reading when in doubt. Knows no route.
 */
import type { Notices } from "@vedette/cluster";
import { type Clock, UnavailableError } from "@vedette/kit";
import type { KeyStore, MachineStore, PeopleStore } from "@vedette/model";
import type { SettingStore } from "@vedette/store";
import { sourceTokenSetting } from "./source_tokens.ts";

const topic = "access";
/** Reading everybody takes some ten milliseconds: this bounds what strangers with made-up tokens can cause, and how long they wait for their answer. */
const gap_ms = 500;
/** What nobody was told of, because the shared place was away, is known after so long: a session that was ended elsewhere ends here. */
const unheard_ms = 10_000;

/** What is read again. */
export interface Reloaded {
  reload(): Promise<unknown>;
}

export class AccessNotices {
  readonly #notices: Notices;
  readonly #clock: Clock;
  /** Tells our own notices from others'. */
  readonly #me: string;
  #known: Reloaded | undefined;
  #reading: Promise<void> = Promise.resolve();
  /** The next read, that has not begun. */
  #next: Promise<void> | undefined;

  /** @param me a name that no other process has */
  constructor(notices: Notices, clock: Clock, me: string) {
    this.#notices = notices;
    this.#clock = clock;
    this.#me = me;
  }

  /** These tell the others of each change. */
  people(store: PeopleStore): PeopleStore {
    return { load: (now) => store.load(now), save: (change) => this.#notifyAfter(store.save(change)) };
  }
  keys(store: KeyStore): KeyStore {
    return { load: (now) => store.load(now), save: (change) => this.#notifyAfter(store.save(change)) };
  }
  /** Of who may come in, not of what a machine says of itself. */
  machines(store: MachineStore): MachineStore {
    return {
      load: (now) => store.load(now),
      save: (change) => (change.certificates || change.enrolments ? this.#notifyAfter(store.save(change)) : store.save(change)),
      replaceEnrolment: (hash, before, after) => store.replaceEnrolment(hash, before, after),
    };
  }
  settings(store: SettingStore): SettingStore {
    return {
      get: (name) => store.get(name),
      add: (name, value) => store.add(name, value),
      replace: (name, from, to) => store.replace(name, from, to),
      set: (name, value) => (name === sourceTokenSetting ? this.#notifyAfter(store.set(name, value)) : store.set(name, value)),
    };
  }

  /** Hears the others from now on. @returns the way to stop */
  async follow(known: Reloaded): Promise<() => void> {
    this.#known = known;
    const reread = () => void this.refresh().catch(() => {});
    const unsubscribe = await this.#notices.subscribe(topic, {
      notice: (bytes) => Buffer.from(bytes).toString() !== this.#me && reread(),
      missed: reread,
    });
    const stopped = new AbortController();
    void this.#readNowAndThen(stopped.signal);
    return () => {
      stopped.abort();
      unsubscribe();
    };
  }

  async #readNowAndThen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(unheard_ms, signal);
      if (!signal.aborted) await this.refresh().catch(() => {});
    }
  }

  /** Resolves when all is known that was in the store when it was called. @throws VedetteError as the store does */
  refresh(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#reading
      .catch(() => {})
      .then(async () => {
        this.#next = undefined;
        const read: Promise<unknown> = this.#known?.reload() ?? Promise.reject(new UnavailableError("store_unavailable", "starting"));
        this.#reading = read.catch(() => {}).then(() => this.#clock.sleep(gap_ms));
        await read;
      });
    this.#next = next;
    return next;
  }

  async #notifyAfter(saved: Promise<void>): Promise<void> {
    await saved;
    this.#notices.publish(topic, Buffer.from(this.#me));
  }
}
