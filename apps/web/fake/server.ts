/** A stand-in for the real server: the built console, the API over made-up data, and the live stream, under the same strict policy. For development and tests only. */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import type { Alert } from "../src/api/types.ts";
import { makeAlert } from "./alerts.ts";
import { type Answer, problem } from "./answer.ts";
import { changeCases, readCases } from "./case_routes.ts";
import { changeData } from "./data_routes.ts";
import { makeEvent, stamp } from "./events.ts";
import { whoIs } from "./people.ts";
import { changePeople, readPeople, signIn } from "./people_routes.ts";
import { actOnAlert, actOnRules, read, withoutEvidence } from "./routes.ts";
import { seeded } from "./seeded.ts";
import { type FakeState, makeState, type Scenario, statusOf } from "./state.ts";

/** The policy the real server sends: nothing inline but styles, nothing from elsewhere. */
export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const cookie = "vedette_session=";

const types: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".map": "application/json",
};

export interface FakeServer {
  readonly url: string;
  readonly state: FakeState;
  /** Sends an alert to everyone who listens, as if it had just been raised or changed. */
  readonly sendAlert: (alert: Alert) => void;
  /** Makes every API call answer with this problem until set back to undefined. */
  readonly break: (status: number | undefined) => void;
  readonly close: () => Promise<void>;
}

export interface FakeOptions {
  readonly port?: number;
  readonly scenario?: Scenario;
  /** Where the built console lies. */
  readonly dist: string;
  /** Raises a new alert every so many ticks; 0 = never. */
  readonly alert_every?: number;
}

interface Listener {
  readonly response: ServerResponse;
  readonly events: boolean;
}

async function bodyOf(request: IncomingMessage): Promise<{ [key: string]: unknown }> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  try {
    return JSON.parse(Buffer.concat(parts).toString()) as { [key: string]: unknown };
  } catch {
    return {};
  }
}

async function serveFile(dist: string, path: string, response: ServerResponse): Promise<void> {
  const wanted = normalize(path);
  const file = extname(wanted) === "" ? "/index.html" : wanted;
  const bytes = await readFile(join(dist, file)).catch(() => undefined);
  if (bytes === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "content-type": types[extname(file)] ?? "application/octet-stream",
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  });
  response.end(bytes);
}

/** Once a second: a status, some events, now and then an alert. */
function startTicks(state: FakeState, listeners: Set<Listener>, sendAlert: (alert: Alert) => void, alert_every: number): () => void {
  const random = seeded(7);
  let ticks = 0;
  const send = (event: string, data: unknown, only: (listener: Listener) => boolean = () => true) => {
    for (const listener of listeners)
      if (only(listener)) listener.response.write(`id: ${ticks}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const timer = setInterval(() => {
    ticks += 1;
    const busy = state.sources.length > 0;
    const rate = busy ? Math.round(430 + 90 * Math.sin(ticks / 9) + random.between(-40, 40)) : 0;
    send("status", statusOf(state, rate));
    if (!busy) return;
    const events = Array.from({ length: 12 }, (_, at) => makeEvent(`live${ticks}x${at}`, Date.now() - at, random));
    state.events.unshift(...events);
    send("events", { events, sampled: true }, (listener) => listener.events);
    if (alert_every > 0 && ticks % alert_every === 0) {
      const alert = { ...makeAlert(ticks, Date.now(), "open", 100), id: `alert-live-${ticks}` };
      state.alerts.unshift(alert);
      sendAlert(alert);
    }
  }, 1_000);
  return () => clearInterval(timer);
}

/** Starts on a free port of the loopback, or the one given. */
export async function startFake(options: FakeOptions): Promise<FakeServer> {
  const state = makeState(options.scenario ?? "normal", Date.now());
  const listeners = new Set<Listener>();
  let broken: number | undefined;
  const sendAlert = (alert: Alert) => {
    for (const listener of listeners) listener.response.write(`event: alert\ndata: ${JSON.stringify(withoutEvidence(alert))}\n\n`);
  };
  const stream = (params: URLSearchParams, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    const listener = { response, events: params.get("events") === "1" };
    listeners.add(listener);
    response.on("close", () => listeners.delete(listener));
    response.write(`event: status\ndata: ${JSON.stringify(statusOf(state, state.sources.length === 0 ? 0 : 430))}\n\n`);
  };
  const change = async (method: string, path: string, request: IncomingMessage, name: string): Promise<Answer> => {
    if (path === "/demo") {
      const on = method === "POST";
      state.demo = { present: on, running: on, events: on ? 1 : 0 };
      if (!on) state.alerts = state.alerts.filter((alert) => !alert.demo);
      return { status: 204 };
    }
    const body = await bodyOf(request);
    const done =
      changeData(state, method, path, body) ?? changeCases(state, method, path, body) ?? changePeople(state, method, path, body, name);
    if (done !== undefined) return done;
    if (method === "POST" && path.startsWith("/rules/")) return actOnRules(state, path, body, stamp(Date.now()));
    const found = /^\/alerts\/([^/]+)\/(\w+)$/.exec(path);
    if (method !== "POST" || found === null) return problem(404, "not_found", "There is no such route.");
    const answer = actOnAlert(state, decodeURIComponent(found[1]!), found[2]!, body, stamp(Date.now()));
    if (answer.status === 200) sendAlert(answer.body as Alert);
    return answer;
  };
  const session = async (method: string, request: IncomingMessage, response: ServerResponse): Promise<Answer> => {
    if (method === "DELETE") {
      response.setHeader("set-cookie", "vedette_session=; Max-Age=0; Path=/");
      return { status: 204 };
    }
    const signed = signIn(state, await bodyOf(request));
    if (typeof signed !== "string") return signed;
    response.setHeader("set-cookie", `${cookie}${signed}; HttpOnly; SameSite=Strict; Path=/`);
    return { status: 204 };
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://fake");
    const method = request.method ?? "GET";
    if (url.pathname === "/login" && !url.searchParams.has("token")) {
      const { status, body } = problem(400, "bad_request", "token: required");
      response.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify(body));
      return;
    }
    if (url.pathname === "/login") {
      response.writeHead(303, { location: "/", "set-cookie": `${cookie}admin; HttpOnly; SameSite=Strict; Path=/` }).end();
      return;
    }
    if (["/metrics", "/healthz", "/readyz"].includes(url.pathname)) {
      // the real server's own: no page of the console may be there
      response.writeHead(200, { "content-type": "text/plain" }).end("");
      return;
    }
    if (!url.pathname.startsWith("/api/v1/")) return serveFile(options.dist, url.pathname, response);
    const path = url.pathname.slice("/api/v1".length);
    const name = /vedette_session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    const who = whoIs(state.people, name);
    let answer: Answer;
    if (path === "/session" && method !== "GET") answer = await session(method, request, response);
    else if (path === "/oidc") answer = readPeople(state, path, "")!;
    else if (who === undefined) answer = problem(401, "no_session", "Sign in first.");
    else if (broken !== undefined) answer = problem(broken, "broken", "The event store does not answer.");
    else if (path === "/session") answer = { status: 200, body: who };
    else if (path === "/stream") return stream(url.searchParams, response);
    else if (path === "/status") answer = { status: 200, body: statusOf(state, 430) };
    else if (method === "GET")
      answer =
        readPeople(state, path, name) ??
        readCases(state, path) ??
        read(state, path, url.searchParams, Date.now()) ??
        problem(404, "not_found", "There is no such route.");
    else answer = await change(method, path, request, name);
    response.writeHead(answer.status, {
      "content-type": answer.status < 400 ? "application/json" : "application/problem+json",
      "cache-control": "no-store",
    });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  };
  const server: Server = createServer(
    (request, response) => void handle(request, response).catch((error: unknown) => response.destroy(error as Error)),
  );
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const stop = startTicks(state, listeners, sendAlert, options.alert_every ?? 0);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    sendAlert,
    break: (status) => {
      broken = status;
    },
    close: () => {
      stop();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
