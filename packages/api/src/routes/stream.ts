/** Server-sent events: a connection per listener, fed by the hub. */
import { grantsFor, type Principal, viewOf } from "@vedette/access";
import type { View } from "@vedette/condition";
import { z } from "zod";
import { identify } from "../guard.ts";
import { maxClients, type StreamClient } from "../hub.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { type App, failures, type RouteContext } from "./context.ts";

/** How long a closed listener may take to read the reason. */
const farewell_ms = 2_000;
/** A heartbeat goes out without figures when they take longer. */
const patience_ms = 5_000;

export function streamRoute(app: App, context: RouteContext): void {
  const { options, hub, clock } = context;
  app.route({
    method: "GET",
    url: "/stream",
    config: { permission: "alerts:read", confined: true },
    schema: {
      summary: "Server-sent events: status each second, alerts as they are made or changed, on demand the newest events.",
      description: "Alerts carry ids: reconnect with Last-Event-ID to get those missed; `event: reset` means to load afresh.",
      tags: ["stream"],
      querystring: z.strictObject({ events: z.enum(["0", "1"]).default("0").describe("1: also `event: events`.") }),
      response: {
        200: { description: "A stream.", content: { "text/event-stream": { schema: z.string() } } },
        ...failures,
        429: schemas.problem,
      },
    },
    handler: async (request, reply) => {
      if (hub.clients >= maxClients) throw new ApiProblem(429, "backpressure", `more than ${maxClients} listeners`);
      const sees = sightOf(request.principal, options.tenant);
      const wantsEvents = request.query.events === "1";
      if (wantsEvents && sees.events === "nothing") throw new ApiProblem(403, "forbidden", "events=1: events:read is needed");
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      const client: StreamClient = {
        wantsEvents,
        ...viewsOf(sees),
        alive: () => same(sightOf(identify(request, options), options.tenant), sees),
        write: (text) => void raw.write(text),
        pending: () => raw.writableLength,
        close: (reason) => {
          raw.end(`: ${reason}\n\n`);
          const read = new AbortController();
          raw.once("close", () => read.abort());
          void clock.sleep(farewell_ms, read.signal).then(() => raw.destroy());
        },
      };
      const last = request.headers["last-event-id"];
      const leave = hub.add(client, typeof last === "string" ? last : undefined);
      raw.once("close", leave);
      raw.on("error", leave);
    },
  });
}

type Sight = View | "everything" | "nothing";
interface Sees {
  readonly alerts: Sight;
  readonly events: Sight;
}

/** What who asks may see of alerts and of events; both are in the one stream. */
function sightOf(principal: Principal | undefined, tenant: string | undefined): Sees {
  const of = (permission: "alerts:read" | "events:read"): Sight => {
    const grants = principal === undefined ? [] : grantsFor(principal, permission, tenant);
    return grants.length === 0 ? "nothing" : (viewOf(grants) ?? "everything");
  };
  return { alerts: of("alerts:read"), events: of("events:read") };
}
const same = (a: Sees, b: Sees) => JSON.stringify(a) === JSON.stringify(b);

function viewsOf({ alerts, events }: Sees): Pick<StreamClient, "views"> {
  const view = (sight: Sight) => (typeof sight === "string" ? undefined : sight);
  const views = { alerts: view(alerts), events: view(events) };
  return views.alerts === undefined && views.events === undefined ? {} : { views };
}

/** Feeds the hub until `signal` aborts. The runtime is asked for events only while someone listens for them. */
export async function runStream({ options, clock, hub, status, fields }: RouteContext, signal: AbortSignal): Promise<void> {
  let stop: (() => void) | undefined;
  const stopAlerts = options.runtime.subscribe((notice) => {
    if (notice.kind !== "alert") return;
    hub.alert(notice.alert);
    status.alertsChanged();
  });
  while (!signal.aborted) {
    await clock.sleep(1_000, signal);
    if (signal.aborted) break;
    if (hub.wantsEvents && stop === undefined)
      stop = options.runtime.subscribe((notice) => {
        if (notice.kind !== "events") return;
        hub.events(notice.events, notice.count);
        fields.learn(notice.events);
      }, true);
    if (!hub.wantsEvents) {
      stop?.();
      stop = undefined;
    }
    if (hub.clients > 0) hub.tick(await Promise.race([status.get().catch(() => undefined), clock.sleep(patience_ms, signal)]));
  }
  stop?.();
  stopAlerts();
  hub.close();
}
