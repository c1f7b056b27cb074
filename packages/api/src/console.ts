/** Serves the built console's files and sends every path it may own to its one page. Knows nothing of what the console does. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { rootEndpoint, runEndpoint } from "./ingest.ts";
import type { ServerOptions } from "./ports.ts";
import { ApiProblem, sendProblem } from "./problems.ts";

const page = "index.html";
/** Built files carry their content's hash in the name. */
const aYear = "public, max-age=31536000, immutable";

const wantsPage = (request: FastifyRequest) => (request.headers.accept ?? "").includes("text/html");

export async function consoleRoutes(app: FastifyInstance, options: ServerOptions): Promise<void> {
  const { consoleDirectory: root, apiPrefix = "/api/v1" } = options;
  const built = root !== undefined && existsSync(join(root, page));
  // the page and its files are public: they hold no data
  app.addHook("onRoute", (route) => {
    route.config = { ...route.config, access: "open" };
    route.schema ??= { hide: true };
  });
  if (built)
    await app.register(fastifyStatic, {
      root,
      // only files that are there now get a route, so no path can lead elsewhere
      wildcard: false,
      index: false,
      cacheControl: false,
      setHeaders: (response, path) => {
        response.header("cache-control", path.includes("/assets/") ? aYear : "no-cache");
      },
    });
  const showPage = (reply: FastifyReply) => reply.header("vary", "accept").sendFile(page);

  for (const method of ["GET", "HEAD"] as const) {
    const endpoint = rootEndpoint(options, method);
    const open = endpoint?.spec.routes.find((one) => one.path === "/" && one.method === method)?.open === true;
    app.route({
      method,
      url: "/",
      schema: { summary: "The console for browsers, the Elasticsearch banner for programs.", tags: ["ingest"] },
      handler: async (request, reply) => {
        if (built && wantsPage(request)) return showPage(reply);
        if (endpoint === undefined) throw new ApiProblem(404, "not_found", `the API is under ${apiPrefix}`);
        // a banner is public only where its endpoint says so
        if (!open && request.principal === undefined) throw new ApiProblem(401, "unauthorised", "a token is needed");
        return runEndpoint(endpoint, options.endpointContext, request, reply.header("vary", "accept"));
      },
    });
  }

  app.setNotFoundHandler((request, reply) => {
    const ours = request.url === apiPrefix || request.url.startsWith(`${apiPrefix}/`);
    if (built && !ours && request.method === "GET" && wantsPage(request)) return showPage(reply);
    return sendProblem(reply, new ApiProblem(404, "not_found", "there is nothing at this path"));
  });
}
