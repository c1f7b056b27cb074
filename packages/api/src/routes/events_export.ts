/** All events that match a filter, as a stream of lines: as many as there are, and no faster than whoever asked reads them. */
import { Readable } from "node:stream";
import { csvCell, jsonText } from "@vedette/kit";
import type { Event } from "@vedette/model";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { entryOf } from "../audit.ts";
import { eventRow } from "../present.ts";
import { ApiProblem } from "../problems.ts";
import { maskedIn, narrow, reachOf, readFilter } from "../read_query.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import { rangeOf } from "./events.ts";

/** Read at once: some 5 MB of text. */
const pageRows = 5_000;
/** Each reads the whole range; more at once would take the store from everybody else. */
const maxExports = 4;
const columns = ["time", "source", "host.name", "event.dataset", "event.action", "user.name", "source.ip", "original"];
const field = /^[^,\s]{1,200}$/;
const types = { ndjson: "application/x-ndjson", csv: "text/csv; charset=utf-8; header=present" } as const;

const querystring = z.strictObject({
  q: schemas.queryText,
  ...schemas.range,
  order: z.enum(["desc", "asc"]).default("desc").describe("desc: newest first."),
  format: z.enum(["ndjson", "csv"]).default("ndjson").describe("How events are written, one a line."),
  fields: z
    .string()
    .max(10_000)
    .transform((text) => text.split(","))
    .pipe(z.array(z.string().regex(field, "expected names of fields with commas between them")).max(100))
    .optional()
    .describe("Columns of CSV: ECS names, time, source and original, with commas between them."),
  limit: z.coerce.number().int().min(1).max(1_000_000_000).optional().describe("Events at most; all of them where it is not given."),
});
type Asked = z.output<typeof querystring>;
const line = (type: string) => ({ [type]: { schema: z.string() } });

export function eventExportRoute(app: App, context: RouteContext): void {
  const { options, tenant, clock, bounded } = context;
  const { events } = options.store;
  let running = 0;

  async function* pages(request: FastifyRequest & { readonly query: Asked }, reply: FastifyReply): AsyncGenerator<readonly Event[]> {
    const { q, from, to, order, limit = Number.POSITIVE_INFINITY } = request.query;
    const filter = readFilter(q);
    const query = {
      ...reachOf(request, tenant, filter),
      ...narrow(filter, rangeOf({ from, to }, clock.now())),
      oldestFirst: order === "asc",
    };
    let left = limit;
    for (let cursor: string | undefined; left > 0; ) {
      const asked = { ...query, limit: Math.min(pageRows, left), ...(cursor !== undefined && { cursor }) };
      const page = await bounded(reply, (signal) => events.search(asked, signal));
      yield page.events;
      left -= page.events.length;
      cursor = page.cursor;
      if (cursor === undefined) return;
    }
  }

  app.route({
    method: "GET",
    url: "/events/export",
    config: { permission: "events:export", confined: true, audit: { action: "events_export_begun" } },
    schema: {
      summary: "Every event that matches a filter, as NDJSON or CSV.",
      description:
        "A stream: it breaks off where the store fails on the way, and stops when nobody reads. In CSV, cells that a spreadsheet would run are quoted as text. " +
        "`vedette-masked` names the fields that were asked by and are masked.",
      tags: ["events"],
      querystring,
      response: {
        200: { description: "One event a line.", content: { ...line("application/x-ndjson"), ...line("text/csv") } },
        ...failures,
        429: schemas.problem,
        504: schemas.problem,
      },
    },
    handler: async (request, reply) => {
      const { q, format, fields = columns } = request.query;
      if (running >= maxExports) throw new ApiProblem(429, "backpressure", `more than ${maxExports} exports at once; try again later`);
      running++;
      const all = pages(request, reply);
      // what is wrong with the question is said before anything is sent
      const first = await all.next().catch((error: unknown) => {
        running--;
        throw error;
      });
      request.auditFields = { ...request.auditFields, "vedette.audit.query": q, "vedette.audit.format": format };
      const { masked = [] } = maskedIn(
        request.view,
        readFilter(q),
        format === "csv" ? fields.filter((one) => one !== "source" && one !== "time") : [],
      );
      if (masked.length > 0) reply.header("vedette-masked", masked.map(encodeURIComponent).join(","));
      reply.header("content-disposition", `attachment; filename="events.${format}"`).type(types[format]);
      const textOf = format === "csv" ? (one: Event) => csvLine(one, fields) : (one: Event) => `${jsonText(eventRow(one))}\n`;

      let rows = 0;
      async function* texts(): AsyncGenerator<string> {
        if (format === "csv") yield `${fields.map(csvCell).join(",")}\r\n`;
        for (let page = first; !page.done; page = await all.next()) {
          rows += page.value.length;
          if (page.value.length > 0) yield page.value.map(textOf).join("");
        }
      }
      const stream = Readable.from(texts(), { objectMode: false });
      // however it ends: read whole, broken off, or never begun
      stream.once("close", () => {
        running--;
        void all.return(undefined).catch(() => undefined);
        // what has gone out has gone out, whether it was all or not
        const fields = { "vedette.audit.rows": rows, "vedette.audit.complete": stream.readableEnded };
        options.audit?.record(entryOf(request, "events_exported", "success", fields)).catch(() => undefined);
      });
      return reply.send(stream as never);
    },
  });
}

function csvLine(event: Event, fields: readonly string[]): string {
  const cell = (name: string): string => {
    if (name === "time") return formatTime(event.time);
    if (name === "source" || name === "original") return event[name];
    const value = event.fields[name] ?? (name === "host.name" ? event.host : null);
    return value === null ? "" : Array.isArray(value) ? value.join(", ") : String(value);
  };
  return `${fields.map((name) => csvCell(cell(name))).join(",")}\r\n`;
}
