/** An event as a document, and back. Knows no index and no HTTP. */
import { idOf, newFields } from "@vedette/kit";
import type { Event, EventClass, Fields } from "@vedette/model";
import { openBatch } from "../events/batch.ts";
import { bigintColumns, columns } from "../events/columns.ts";
import { eventOf } from "../events/rows.ts";
import type { EncodedEvents } from "../store.ts";
import { noTerms, termsOf } from "./terms.ts";

/** Longest `_id` OpenSearch takes, in bytes. */
const maxId = 512;
/** What is asked back of a document: its terms are not. */
export const sourceFields = ["time", "received", "seq", "id", "tenant", "class", "source", "host", "event", "original"] as const;
export interface Source {
  readonly time: number;
  readonly received: number;
  readonly seq: number;
  readonly id: string;
  readonly tenant: string;
  readonly class: string;
  readonly source: string;
  readonly host: string;
  readonly event: Fields;
  readonly original: string;
}

/** The same event always gets the same, so that a repeat overwrites. */
export function documentId({ tenant, id }: Event): string {
  const own = `${tenant}/${id}`;
  return Buffer.byteLength(own) <= maxId ? own : idOf("document", tenant, id);
}

/** @param bare without terms: for an event whose terms were refused */
export function documentOf(event: Event, bare = false): string {
  const { id, tenant, source, host, time, received, seq, fields, original } = event;
  return JSON.stringify({
    "@timestamp": Math.floor(time / 1_000),
    time,
    received,
    seq,
    id,
    tenant,
    class: event.class,
    source,
    host,
    ...(fields["vedette.demo"] === true && { demo: true }),
    event: { ...fields },
    original,
    bytes: Buffer.byteLength(original),
    ...(bare ? noTerms : termsOf(event)),
  });
}

export function eventOfSource(source: Source): Event {
  const fields = newFields();
  for (const name of Object.keys(source.event)) fields[name] = source.event[name];
  const { id, tenant, time, received, seq, host, original } = source;
  return { id, tenant, source: source.source, time, received, seq, class: source.class as EventClass, host, fields, original };
}

const decoder = new TextDecoder();

/** A column's cells, null where there is none; one decoding for all where every character is one byte. */
function cells(column: { readonly lengths: Uint32Array; readonly bytes: Uint8Array }): (string | null)[] {
  const { lengths, bytes } = column;
  const whole = decoder.decode(bytes);
  const narrow = whole.length === bytes.length;
  let at = 0;
  return Array.from(lengths, (length) => {
    if (length === 0) return null;
    const cell = narrow ? whole.slice(at, at + length) : decoder.decode(bytes.subarray(at, at + length));
    at += length;
    return cell;
  });
}

/** The events of an encoded batch. */
export function eventsOfBatch({ bytes }: EncodedEvents): Event[] {
  const { header, columns: found } = openBatch(bytes);
  const table = columns.map((name) => {
    const column = found.get(name);
    if (column === undefined) return undefined;
    if ("numbers" in column) return Array.from(column.numbers, Number);
    return bigintColumns.has(name) ? undefined : cells(column);
  });
  return Array.from({ length: header.count }, (_, row) => eventOf(table.map((column) => column?.[row] ?? null)));
}
