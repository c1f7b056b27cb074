/** Puts the HTTP server together from its parts and ports. Listens nowhere: that is the program's to decide. */
import { inProcessCounters, jsonText, systemClock } from "@vedette/kit";
import Fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import { validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { limitRates } from "./access/rate_limits.ts";
import { Refusals, watchRefusals } from "./access/refusals.ts";
import { audit } from "./audit.ts";
import { consoleRoutes } from "./console.ts";
import { deadline } from "./deadline.ts";
import { guard } from "./guard.ts";
import { Hub } from "./hub.ts";
import { idempotency } from "./idempotency.ts";
import { ingestRoutes } from "./ingest.ts";
import { KnownFields } from "./known_fields.ts";
import { Metrics } from "./metrics/metrics.ts";
import { describe } from "./openapi/openapi.ts";
import type { ServerOptions } from "./ports.ts";
import { problemOf, sendProblem } from "./problems.ts";
import { accessRoutes } from "./routes/access.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { auditRoutes } from "./routes/audit.ts";
import { backtestRoutes } from "./routes/backtests.ts";
import { backupRoutes } from "./routes/backups.ts";
import { canaryRoutes } from "./routes/canaries.ts";
import type { App, RouteContext } from "./routes/context.ts";
import { enrichmentRoutes } from "./routes/enrichment.ts";
import { erasureRoutes } from "./routes/erasures.ts";
import { eventContextRoute } from "./routes/event_context.ts";
import { eventRoutes } from "./routes/events.ts";
import { eventExportRoute } from "./routes/events_export.ts";
import { healthRoutes } from "./routes/health.ts";
import { holdRoutes } from "./routes/holds.ts";
import { hpcRoutes } from "./routes/hpc.ts";
import { keyRoutes } from "./routes/keys.ts";
import { machineRoutes } from "./routes/machines.ts";
import { meRoutes } from "./routes/me.ts";
import { oidcRoutes } from "./routes/oidc.ts";
import { operationRoutes } from "./routes/operations.ts";
import { queryRoutes } from "./routes/query.ts";
import { refusalRoutes } from "./routes/refusals.ts";
import { ruleRoutes } from "./routes/rules.ts";
import { senderRoutes } from "./routes/senders.ts";
import { seriesRoutes } from "./routes/series.ts";
import { keySetRoute, loginRoute, sessionRoutes } from "./routes/session.ts";
import { sourceTokenRoutes } from "./routes/source_tokens.ts";
import { runStream, streamRoute } from "./routes/stream.ts";
import { userRoutes } from "./routes/users.ts";
import { vaultRoutes } from "./routes/vault.ts";
import { StatusReport } from "./status.ts";

/** Bodies of the API itself: the longest is a note. */
const bodyLimit = 65_536;
/** Slow senders hold a connection each: headers and whole requests must arrive within these. */
const headersTimeout_ms = 20_000;
const requestTimeout_ms = 300_000;
/** What a closing server grants to requests under way; collectors send again what was not acknowledged. */
const closing_ms = 5_000;
const queryTimeout_ms = 10_000;

function contextOf(options: ServerOptions): RouteContext {
  const { store, runtime, version, clock = systemClock, tenant = "main" } = options;
  return {
    options,
    clock,
    tenant,
    bounded: deadline(clock, options.queryTimeout_ms ?? queryTimeout_ms),
    hub: new Hub((id, view) => store.alerts.get(tenant, id, view)),
    status: new StatusReport({ store, runtime, clock, version, tenant }),
    fields: new KnownFields(store.events, tenant, clock),
    counters: options.counters ?? inProcessCounters(clock),
    refusals: new Refusals(() => clock.now()),
  };
}

function settings(options: ServerOptions): FastifyServerOptions {
  return {
    bodyLimit,
    exposeHeadRoutes: false,
    // an index name of Elasticsearch has up to 255 bytes, each perhaps percent-encoded
    routerOptions: { maxParamLength: 1_024 },
    http: { headersTimeout: headersTimeout_ms },
    requestTimeout: requestTimeout_ms,
    // requests under way may finish, see runWithServer
    forceCloseConnections: "idle",
    ...(options.https && { https: options.https }),
    frameworkErrors: (error, _request, reply) => void sendProblem(reply as never, problemOf(error)),
  } as FastifyServerOptions;
}

function handleErrors(app: FastifyInstance, options: ServerOptions): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) options.onError?.(error, `${request.method} ${request.routeOptions.url ?? "(none)"}`);
    return sendProblem(reply, problem);
  });
}

/** The server, ready to `listen` or `inject`; `close()` ends its streams. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const context = contextOf(options);
  const { counters } = context;
  const app = Fastify(settings(options));
  app.setValidatorCompiler(validatorCompiler);
  // answers are built by us to their schema, which documents them and which the tests hold them to
  app.setSerializerCompiler(() => jsonText);
  handleErrors(app, options);
  guard(app, options, counters);
  audit(app, options);
  watchRefusals(app, options, context.refusals);
  const metrics = new Metrics(context);
  metrics.watch(app);
  await describe(app, options);
  const typed = app.withTypeProvider<ZodTypeProvider>() as unknown as App;

  healthRoutes(typed, context, metrics);
  const { serves = { api: true, ingest: true } } = options;
  if (serves.api) await apiRoutes(app, options, context);
  if (serves.ingest) await app.register(ingestRoutes, { ...options, counters });
  if (serves.api) await app.register(consoleRoutes, options);
  runWithServer(app, context);
  await app.ready();
  return app;
}

async function apiRoutes(app: FastifyInstance, options: ServerOptions, context: RouteContext): Promise<void> {
  const { apiPrefix = "/api/v1" } = options;
  const typed = app.withTypeProvider<ZodTypeProvider>() as unknown as App;
  loginRoute(typed, context);
  keySetRoute(typed, context);
  await app.register(
    async (scope) => {
      limitRates(scope, context.counters, options.requestsPerMinute);
      idempotency(scope, options.store.settings, context.clock);
      const api = scope.withTypeProvider<ZodTypeProvider>() as unknown as App;
      sessionRoutes(api, context);
      meRoutes(api, context);
      userRoutes(api, context);
      oidcRoutes(api, context);
      alertRoutes(api, context);
      eventRoutes(api, context);
      eventContextRoute(api, context);
      eventExportRoute(api, context);
      queryRoutes(api, context);
      seriesRoutes(api, context);
      hpcRoutes(api, context);
      operationRoutes(api, context);
      backtestRoutes(api, context);
      canaryRoutes(api, context);
      ruleRoutes(api, context);
      enrichmentRoutes(api, context);
      sourceTokenRoutes(api, context);
      keyRoutes(api, context);
      accessRoutes(api, context);
      senderRoutes(api, context);
      machineRoutes(api, context);
      vaultRoutes(api, context);
      holdRoutes(api, context);
      erasureRoutes(api, context);
      backupRoutes(api, context);
      refusalRoutes(api, context);
      auditRoutes(api, context);
      streamRoute(api, context);
      api.route({
        method: "GET",
        url: "/openapi.json",
        config: { access: "open" },
        schema: { summary: "This document.", tags: ["health"] },
        handler: async () => app.swagger(),
      });
    },
    { prefix: apiPrefix },
  );
}

/** The stream runs as long as the server; a server that closes lets requests finish, but not for ever. */
function runWithServer(app: FastifyInstance, context: RouteContext): void {
  const stop = new AbortController();
  const closed = new AbortController();
  const running = runStream(context, stop.signal);
  app.addHook("preClose", async () => {
    stop.abort();
    void context.clock.sleep(closing_ms, closed.signal).then(() => app.server.closeAllConnections());
    await running;
  });
  app.addHook("onClose", async () => closed.abort());
}
