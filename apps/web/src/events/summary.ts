/** One line that says what an event is, from the fields that usually tell. Pure. */
import type { EventRow, Fields } from "../api/types.ts";
import { shorten } from "../format/text.ts";

const line_characters = 300;

function text(fields: Fields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined || value === null || value === "") return undefined;
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** `from → to:port`, as far as known. */
function connection(fields: Fields): string | undefined {
  const from = text(fields, "source.ip");
  const to = text(fields, "destination.ip");
  if (to === undefined) return from;
  const port = text(fields, "destination.port");
  return `${from ?? "?"} → ${to}${port === undefined ? "" : `:${port}`}`;
}

/** The message, else what is known of process, connection, request and user, else the original. */
export function summarise(event: EventRow): string {
  const { fields } = event;
  const message = text(fields, "message");
  if (message !== undefined) return shorten(message, line_characters);
  const parts = [
    text(fields, "event.code"),
    text(fields, "event.action"),
    text(fields, "event.outcome"),
    text(fields, "process.command_line") ?? text(fields, "process.executable") ?? text(fields, "process.name"),
    text(fields, "user.name"),
    connection(fields),
    text(fields, "http.request.method"),
    text(fields, "url.original") ?? text(fields, "url.path"),
    text(fields, "http.response.status_code"),
    text(fields, "dns.question.name"),
    text(fields, "network.protocol") ?? text(fields, "network.transport"),
  ].filter((part) => part !== undefined);
  // A line of JSON says less at a glance than even one part.
  const enough = parts.length >= 2 || (parts.length === 1 && /^\s*[{[]/.test(event.original));
  return shorten(enough || event.original === "" ? parts.join(" · ") : event.original, line_characters);
}

/** Dataset of an event, else its class. */
export function datasetOf(event: EventRow): string {
  return text(event.fields, "event.dataset") ?? text(event.fields, "event.module") ?? event.class;
}

/** Fields of the loaded events with the number of events that have them, the most common first. */
export function countFields(events: readonly EventRow[]): { readonly field: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const event of events) for (const field of Object.keys(event.fields)) counts.set(field, (counts.get(field) ?? 0) + 1);
  return [...counts].map(([field, count]) => ({ field, count })).sort((a, b) => b.count - a.count || (a.field < b.field ? -1 : 1));
}
