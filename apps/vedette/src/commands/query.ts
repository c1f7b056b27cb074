/** `vedette query`: events, or a table where the query has `| stats`. */

import type { Event, EventPage } from "@vedette/client";
import { parseQuery, printCondition } from "@vedette/condition";
import { VedetteError } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { formOf, printRows, type Row, rangeOf } from "../output.ts";

interface Options extends ServerOptions {
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
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
  const wanted = Math.min(parsed.query.head ?? Number.POSITIVE_INFINITY, Number(options.limit));
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
