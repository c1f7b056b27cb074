/** Spreads alerts, events and status to whoever listens, each at its own pace and none without bound. Knows no HTTP. */
import { randomBytes } from "node:crypto";
import type { View } from "@vedette/condition";
import { jsonText } from "@vedette/kit";
import type { Alert, Event } from "@vedette/model";
import { shownEvents } from "@vedette/store";
import { alertRow, eventRow } from "./present.ts";

/** One listener's connection. */
export interface StreamClient {
  readonly wantsEvents: boolean;
  /** What it may see of alerts and of events, where that is not everything. */
  readonly views?: { readonly alerts: View | undefined; readonly events: View | undefined };
  /** Whether its session still holds, and lets it see as much. */
  alive(): boolean;
  write(text: string): void;
  /** Bytes written that have not left yet. */
  pending(): number;
  /** Says why in a comment, then ends. */
  close(reason: string): void;
}

/** Alerts kept for those who come back. */
export const ringSize = 1_000;
/** A listener this far behind is closed: it comes back and resumes. */
export const maxPending = 1024 * 1024;
export const maxClients = 100;
/** Newest events shown per second. */
const maxEvents = 20;

const frame = (event: string, data: unknown, id?: string) =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${jsonText(data)}\n\n`;

/** One alert as it went out. Its id says nothing but where to resume: neither how many there were, nor of which process. */
interface Sent {
  readonly id: string;
  readonly alert: string;
  readonly text: string;
}
const newId = () => randomBytes(9).toString("base64url");

/** The newest events of a second. */
class Newest {
  #events: Event[] = [];
  #seen = 0;

  add(events: readonly Event[], count: number): void {
    this.#seen += count;
    this.#events.push(...events.slice(-maxEvents));
    if (this.#events.length > maxEvents * 8) this.#cut();
  }
  take(): { readonly events: readonly Event[]; readonly sampled: boolean } {
    this.#cut();
    const taken = { events: this.#events, sampled: this.#seen > this.#events.length };
    this.#events = [];
    this.#seen = 0;
    return taken;
  }
  #cut(): void {
    this.#events.sort((a, b) => b.time - a.time);
    this.#events.length = Math.min(this.#events.length, maxEvents);
  }
}

export class Hub {
  readonly #seen: (alert: string, view: View) => Promise<Alert | undefined>;
  readonly #clients = new Set<StreamClient>();
  /** The last of it is the newest; its first was sent when nothing had been. */
  readonly #ring: Sent[] = [{ id: newId(), alert: "", text: "" }];
  readonly #newest = new Newest();
  /** Of those who see a part of the events: their own newest, and the end of what is on its way to them. */
  readonly #limited = new Map<StreamClient, { readonly newest: Newest; sending: Promise<void> }>();

  /** @param seen an alert as a view shows it */
  constructor(seen: (alert: string, view: View) => Promise<Alert | undefined>) {
    this.#seen = seen;
  }

  get clients(): number {
    return this.#clients.size;
  }
  get wantsEvents(): boolean {
    for (const client of this.#clients) if (client.wantsEvents) return true;
    return false;
  }

  /** Adds a listener and brings it up to date: what it missed after `lastId`, or a `reset` where that is not known any more. */
  add(client: StreamClient, lastId: string | undefined): () => void {
    this.#clients.add(client);
    if (client.views !== undefined) this.#limited.set(client, { newest: new Newest(), sending: Promise.resolve() });
    client.write("retry: 2000\n\n");
    const { id } = this.#ring.at(-1)!;
    if (lastId !== undefined) this.#resume(client, lastId);
    // an id without data sets where to resume from, also before the first alert
    if (client.views === undefined) client.write(`id: ${id}\n\n`);
    else this.#write(client, async () => `id: ${id}\n\n`);
    return () => this.#forget(client);
  }

  alert(alert: Alert): void {
    const id = newId();
    const sent = { id, alert: alert.id, text: frame("alert", alertRow(alert), id) };
    this.#ring.push(sent);
    if (this.#ring.length > ringSize + 1) this.#ring.shift();
    this.#send(sent.text, (client) => client.views?.alerts === undefined);
    for (const [client] of this.#limited) if (client.views?.alerts !== undefined) this.#sendAlert(client, sent);
  }

  /** Keeps the newest for the next second. */
  events(events: readonly Event[], count = events.length): void {
    this.#newest.add(events, count);
    for (const [client, { newest }] of this.#limited) {
      const seen = client.wantsEvents ? shownEvents(events, client.views?.events) : [];
      newest.add(seen, seen.length);
    }
  }

  /** Each second: the status as heartbeat, and the newest events of the second. The status is of everything, so not for who sees a part. */
  tick(status: unknown): void {
    for (const client of this.#clients) if (!client.alive()) this.#drop(client, "the session has ended");
    const heartbeat = ": still here\n\n";
    const text = status === undefined ? heartbeat : frame("status", status);
    for (const client of this.#clients) this.#send(client.views === undefined ? text : heartbeat, (one) => one === client);
    this.#sendEvents(this.#newest, (client) => client.wantsEvents && client.views === undefined);
    for (const [client, { newest }] of this.#limited) this.#sendEvents(newest, (one) => one === client && client.wantsEvents);
  }

  close(): void {
    for (const client of this.#clients) this.#drop(client, "the server is stopping");
  }

  #sendEvents(newest: Newest, wanted: (client: StreamClient) => boolean): void {
    const { events, sampled } = newest.take();
    if (events.length > 0) this.#send(frame("events", { events: events.map(eventRow), sampled }), wanted);
  }

  #resume(client: StreamClient, lastId: string): void {
    const from = this.#ring.findIndex(({ id }) => id === lastId);
    if (from < 0) client.write(frame("reset", { reason: "reload: what happened meanwhile is no longer known here" }));
    else if (client.views?.alerts === undefined) for (const { text } of this.#ring.slice(from + 1)) client.write(text);
    // shown as it is now: its last change is enough
    else for (const sent of new Map(this.#ring.slice(from + 1).map((one) => [one.alert, one])).values()) this.#sendAlert(client, sent);
  }

  /** An alert to who sees a part of the events: as the view shows it, and not at all where it does not. */
  #sendAlert(client: StreamClient, { id, alert }: Sent): void {
    this.#write(client, async () => {
      const seen = await this.#seen(alert, client.views!.alerts!);
      return seen && frame("alert", alertRow(seen), id);
    });
  }

  /** In order, after what is on its way. */
  #write(client: StreamClient, text: () => Promise<string | undefined>): void {
    const state = this.#limited.get(client);
    if (state === undefined) return;
    state.sending = state.sending
      .then(async () => {
        const one = this.#clients.has(client) ? await text() : undefined;
        if (one !== undefined) this.#send(one, (other) => other === client);
      })
      // whoever missed one comes back for it
      .catch(() => this.#drop(client, "the store did not answer; come back with Last-Event-ID"));
  }

  #forget(client: StreamClient): void {
    this.#clients.delete(client);
    this.#limited.delete(client);
  }

  #send(text: string, wanted: (client: StreamClient) => boolean = () => true): void {
    for (const client of this.#clients) {
      if (!wanted(client)) continue;
      if (client.pending() > maxPending) this.#drop(client, "too slow; come back with Last-Event-ID");
      else client.write(text);
    }
  }

  #drop(client: StreamClient, reason: string): void {
    this.#forget(client);
    client.close(reason);
  }
}
