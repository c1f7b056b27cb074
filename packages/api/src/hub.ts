/** Spreads alerts, events and status to whoever listens, each at its own pace and none without bound. Knows no HTTP. */
import { randomBytes } from "node:crypto";
import type { Alert, Event } from "@vedette/model";
import { alertRow, eventRow } from "./present.ts";

/** One listener's connection. */
export interface StreamClient {
  readonly wantsEvents: boolean;
  /** Whether its session still holds. */
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
  `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

export class Hub {
  /** Ids of another process's stream mean nothing here. */
  readonly #epoch = randomBytes(6).toString("base64url");
  readonly #clients = new Set<StreamClient>();
  readonly #ring: string[] = [];
  /** Alerts sent so far; an alert's id counts it in. */
  #made = 0;
  #events: Event[] = [];
  #seen = 0;

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
    client.write("retry: 2000\n\n");
    if (lastId !== undefined) this.#resume(client, lastId);
    // an id without data sets where to resume from, also before the first alert
    client.write(`id: ${this.#id(this.#made)}\n\n`);
    return () => this.#clients.delete(client);
  }

  alert(alert: Alert): void {
    const text = frame("alert", alertRow(alert), this.#id(this.#made + 1));
    this.#ring[this.#made++ % ringSize] = text;
    this.#send(text);
  }

  /** Keeps the newest for the next second. */
  events(events: readonly Event[], count = events.length): void {
    this.#seen += count;
    this.#events.push(...events.slice(-maxEvents));
    if (this.#events.length > maxEvents * 8) this.#newest();
  }

  /** Each second: the status as heartbeat, and the newest events of the second. */
  tick(status: unknown): void {
    for (const client of this.#clients) if (!client.alive()) this.#drop(client, "the session has ended");
    this.#send(status === undefined ? ": still here\n\n" : frame("status", status));
    this.#newest();
    if (this.#events.length > 0) {
      const text = frame("events", { events: this.#events.map(eventRow), sampled: this.#seen > this.#events.length });
      this.#send(text, (client) => client.wantsEvents);
    }
    this.#events = [];
    this.#seen = 0;
  }

  close(): void {
    for (const client of this.#clients) this.#drop(client, "the server is stopping");
  }

  #newest(): void {
    this.#events.sort((a, b) => b.time - a.time);
    this.#events.length = Math.min(this.#events.length, maxEvents);
  }

  #id(number: number): string {
    return `${this.#epoch}.${number}`;
  }

  #resume(client: StreamClient, lastId: string): void {
    const [epoch, number] = lastId.split(".", 2);
    const from = /^\d{1,15}$/.test(number ?? "") ? Number(number) : Number.NaN;
    if (epoch !== this.#epoch || !(from <= this.#made) || from < this.#made - ringSize) {
      client.write(frame("reset", { reason: "reload: what happened meanwhile is no longer known here" }));
      return;
    }
    for (let i = from; i < this.#made; i++) client.write(this.#ring[i % ringSize]!);
  }

  #send(text: string, wanted: (client: StreamClient) => boolean = () => true): void {
    for (const client of this.#clients) {
      if (!wanted(client)) continue;
      if (client.pending() > maxPending) this.#drop(client, "too slow; come back with Last-Event-ID");
      else client.write(text);
    }
  }

  #drop(client: StreamClient, reason: string): void {
    this.#clients.delete(client);
    client.close(reason);
  }
}
