/** The API's document without a running server: every port is there and does nothing. For what is generated from the document. */
import { systemClock } from "@vedette/kit";
import type { ServerOptions } from "../ports.ts";
import { buildServer } from "../server.ts";

/** Stands for anything a route looks up or calls while it is registered. */
const nothing: object = new Proxy(() => undefined, {
  get: (_, name) => (name === "then" ? undefined : name === Symbol.toPrimitive ? () => "" : nothing),
  apply: () => nothing,
});

/** The document of all routes of the API; those of ingest endpoints belong to other protocols. */
export async function apiDocument(): Promise<object> {
  const given: Partial<ServerOptions> = { version: "0", clock: systemClock, endpoints: new Map(), apiPrefix: "/api/v1", loopback: true };
  const absent = new Set(["consoleDirectory", "https", "hosts", "tenant", "queryTimeout_ms", "requestsPerMinute", "onError", "prefix"]);
  const options = new Proxy(given as ServerOptions, {
    get: (target, name) => (absent.has(String(name)) ? undefined : (Reflect.get(target, name) ?? nothing)),
  });
  const app = await buildServer(options);
  try {
    return app.swagger();
  } finally {
    await app.close();
  }
}
