/** `vedette query`: events, or a table where the query has `| stats`. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Event, EventPage } from "@vedette/client";
import { parseQuery, printCondition, type Query } from "@vedette/condition";
import { UnavailableError, VedetteError } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { formOf, printRows, type Row, rangeOf, safe } from "../output.ts";

interface Options extends ServerOptions {
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
  /** As many as there are, as the server reads them. */
  readonly all?: boolean;
  readonly output?: string;
  readonly json?: boolean;
}

export async function query(q: string, options: Options): Promise<void> {
  const parsed = parseQuery(q);
  if (!parsed.ok)
    throw new VedetteError(
      "query_invalid",
      true,
      `${parsed.message}\n  ${q}\n  ${" ".repeat(parsed.position)}^${parsed.suggestion ? `\n  ${parsed.suggestion}` : ""}`,
    );
  const client = connect(options);
  const range = rangeOf(options);
  const form = formOf(options);
  if (parsed.query.stats) {
    const { columns, rows } = await client.get("/query", { query: { q, ...range } });
    return printRows(
      rows.map((r) => Object.fromEntries(columns.map((c, i) => [c, r[i]]))),
      columns,
      form,
    );
  }
  const [order, ...others] = parsed.query.sort ?? [];
  if (order && (order.by !== "time" || others.length > 0))
    throw new VedetteError(
      "query_invalid",
      true,
      "events are sorted by time only: `| sort time` or `| sort -time`; tables of `| stats` by any column",
    );
  const { where } = parsed.query;
  const filter = where.op === "and" && where.of.length === 0 ? "" : printCondition(where);
  if (options.all) return exportAll({ ...range, q: filter, order: order?.descending === false ? "asc" : "desc" }, parsed.query, options);
  const wanted = Math.min(parsed.query.head ?? Number.POSITIVE_INFINITY, options.limit);
  const found: Event[] = [];
  for (let cursor: string | undefined; found.length < wanted; ) {
    const page: EventPage = await client.get("/events", {
      query: {
        q: filter,
        order: order?.descending === false ? "asc" : "desc",
        ...range,
        limit: Math.min(1_000, wanted - found.length),
        cursor,
      },
    });
    found.push(...page.events);
    if (cursor === undefined && page.restoring)
      process.stderr.write(
        `a restore is under way: ${page.restoring.events} events of ${page.restoring.oldest} to ${page.restoring.newest} are not back yet\n`,
      );
    cursor = page.cursor;
    if (cursor === undefined || page.events.length === 0) break;
  }
  const fields = parsed.query.fields;
  if ((form === "json" || form === "ndjson") && !fields) return printRows(found as unknown as Row[], [], form);
  const rows = found.map(
    (e): Row =>
      fields
        ? { time: e.time, ...Object.fromEntries(fields.map((f) => [f, e.fields[f]])) }
        : {
            time: e.time,
            host: e.host,
            dataset: e.fields["event.dataset"],
            "source.ip": e.fields["source.ip"],
            "user.name": e.fields["user.name"],
            original: e.original,
          },
  );
  printRows(
    rows,
    fields ? ["time", ...fields] : ["time", "host", "dataset", "source.ip", "user.name", "original"],
    form,
    "no event matches",
  );
}

/** Written as they come: there may be more than fit in memory. A stream that breaks off is a failure. */
async function exportAll(
  asked: { readonly q: string; readonly from?: string; readonly to?: string; readonly order: "asc" | "desc" },
  { head, fields }: Query,
  options: Options,
): Promise<void> {
  const format = formOf(options);
  if (format !== "ndjson" && format !== "csv")
    throw new VedetteError("bad_request", true, "--all writes a stream: choose -o ndjson or -o csv");
  if (fields !== undefined && format === "ndjson")
    throw new VedetteError("bad_request", true, "--all -o ndjson writes whole events; `| fields` is for -o csv");
  const answer = await connect(options).open("/events/export", {
    query: { ...asked, format, limit: head, fields: fields && ["time", ...fields].join(",") },
  });
  const masked = answer.headers.get("vedette-masked");
  if (masked !== null) process.stderr.write(`masked for you: ${safe(decodeURIComponent(masked))}\n`);
  await pipeline(Readable.fromWeb(answer.body! as ReadableStream), process.stdout, { end: false }).catch((cause: unknown) => {
    // whoever reads has enough
    if ((cause as NodeJS.ErrnoException).code === "EPIPE") return;
    throw new UnavailableError("store_unavailable", "the export broke off: what was written is not all", { cause });
  });
}
