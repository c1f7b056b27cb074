/** Receivers that behave as a test tells them, and something to send them. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { Outgoing, SinkContext } from "@vedette/kit";
import { newFields } from "@vedette/kit";
import type { Alert, Event } from "@vedette/model";
import { alertParcel, eventParcel } from "./record/ecs.ts";
import { outgoing } from "./record/outgoing.ts";

export const now = Date.UTC(2026, 10, 21, 8, 30, 0) * 1_000 + 123_456;

export function eventOf(n: number, fields: { readonly [name: string]: Event["fields"][string] } = {}): Event {
  const all = Object.assign(newFields(), { "event.action": "ssh_login", "host.name": "login1", "source.ip": `192.0.2.${n}`, ...fields });
  return {
    id: `event-${n}`,
    tenant: "main",
    source: "s",
    time: now + n,
    received: now + n,
    seq: n,
    class: "other",
    host: "login1",
    fields: all,
    original: `line ${n}`,
  };
}

export function alertOf(more: Partial<Alert> = {}): Alert {
  return {
    id: "alert-1",
    tenant: "main",
    severity: "high",
    title: "SSH brute force",
    summary: "37 failed log-ins",
    rule: { id: "brute_force", title: "SSH brute force" },
    entities: [
      { type: "source.ip", id: "192.0.2.7" },
      { type: "host.name", id: "login1" },
      { type: "host.name", id: "login2" },
    ],
    attack: ["T1110.001", "T1078"],
    count: 1,
    events: 37,
    first_seen: now - 60_000_000,
    last_seen: now,
    created: now,
    updated: now,
    state: "open",
    demo: false,
    evidence: [{ id: "event-1", time: now, source: "s", seq: 0, matches: [], fields: {}, original: "Failed password for root" }],
    history: [],
    ...more,
  };
}

export const sendable = (n: number): Outgoing[] => [
  outgoing(alertParcel(alertOf()), "ecs", "1"),
  ...Array.from({ length: n - 1 }, (_, i) => outgoing(eventParcel(eventOf(i)), "ocsf", "1")),
];

export const contextOf = <C>(config: C, more: Partial<SinkContext<C>> = {}): SinkContext<C> => ({
  name: "test",
  config,
  clock: { now: () => now, sleep: async () => {} },
  hostname: "siem-sender",
  version: "1.2.3",
  writeTable: async () => 0,
  ...more,
});

export interface Got {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}
/** How it behaves to one request: an answer, `dies` in the middle of one, or `stalls`. */
export type Behaviour =
  | "dies"
  | "stalls"
  | { readonly status: number; readonly headers?: { readonly [name: string]: string }; readonly body?: string };

export interface Receiver {
  readonly port: number;
  readonly got: readonly Got[];
  behave: (request: Got) => Behaviour;
  close(): Promise<void>;
}

export async function receiver(): Promise<Receiver> {
  const got: Got[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    const body = (request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).toString();
    const one = { path: request.url ?? "", headers: request.headers, body };
    got.push(one);
    const how = self.behave(one);
    if (how === "stalls") return;
    if (how === "dies") return void response.writeHead(200, { "content-length": "100" }).write("{", () => request.socket.destroy());
    response.writeHead(how.status, how.headers).end(how.body ?? "");
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const self: Receiver = {
    port: (server.address() as AddressInfo).port,
    got,
    behave: () => ({ status: 200 }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return self;
}
