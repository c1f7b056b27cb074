/**
 * Who started a process, and who started that: by the ids that sensors give to processes, else by host and process number as of then. Knows no store.
 */
import type { Event, Fields, Micros } from "@vedette/model";
import { all, day, firstText, is, type Records } from "./records.ts";

export interface ProcessThen {
  readonly entity_id?: string;
  readonly pid?: string;
  readonly name?: string;
  readonly executable?: string;
  readonly command_line?: string;
  readonly user?: string;
  /** Absent where the record of its start was not found, and its child tells of it. */
  readonly started?: Micros;
  readonly event?: string;
}

/** Deeper than people start programs by hand; a loop of wrong records ends there too. */
const maxDepth = 16;
/** Long-running services are older; what they start is told with them as parent all the same. */
const longest: Micros = 8 * day;

/** The event's own process first. Empty where it tells of none. */
export async function ancestryThen(event: Event, records: Records): Promise<readonly ProcessThen[]> {
  const chain: ProcessThen[] = [];
  const seen = new Set<string>();
  let wanted = wantedOf(event.fields, "process", event);
  let told = toldOf(event.fields, "process", undefined);
  for (let time = event.time; wanted !== undefined && chain.length < maxDepth; ) {
    const start = seen.has(wanted.key) ? undefined : await startOf(wanted, time, records);
    seen.add(wanted.key);
    chain.push(start === undefined ? told : { ...told, ...toldOf(start.fields, "process", start) });
    // its own record tells of its parent; where there is none, the event itself tells of one
    const teller: Event | undefined = start ?? (chain.length === 1 ? event : undefined);
    if (teller === undefined) break;
    wanted = wantedOf(teller.fields, "process.parent", teller);
    if (wanted !== undefined && seen.has(wanted.key)) break;
    told = toldOf(teller.fields, "process.parent", undefined);
    time = teller.time;
  }
  return chain;
}

type Wanted = { readonly key: string } & ({ readonly entity: string } | { readonly host: string; readonly pid: number });

function wantedOf(fields: Fields, who: "process" | "process.parent", { host }: Pick<Event, "host">): Wanted | undefined {
  const entity = firstText(fields[`${who}.entity_id`]);
  if (entity !== undefined) return { key: `entity ${entity}`, entity };
  const pid = Number(firstText(fields[`${who}.pid`]) ?? Number.NaN);
  const name = firstText(fields["host.name"]) ?? host;
  return Number.isInteger(pid) && pid > 0 && name !== undefined && name !== ""
    ? { key: `pid ${pid} of ${name}`, host: name, pid }
    : undefined;
}

/** Numbers are used again: the newest start before counts. An id is of one process, whose first record tells of its start. */
function startOf(wanted: Wanted, time: Micros, records: Records): Promise<Event | undefined> {
  const range = { from: time - longest, to: time };
  if ("entity" in wanted) return records.first({ where: is("process.entity_id", wanted.entity), ...range, order: "oldest" });
  const where = all(is("host.name", wanted.host), is("process.pid", wanted.pid), is("event.type", "start"));
  return records.first({ where, ...range, order: "newest" });
}

function toldOf(fields: Fields, who: "process" | "process.parent", start: Event | undefined): ProcessThen {
  const told = {
    entity_id: firstText(fields[`${who}.entity_id`]),
    pid: firstText(fields[`${who}.pid`]),
    name: firstText(fields[`${who}.name`]),
    executable: firstText(fields[`${who}.executable`]),
    command_line: firstText(fields[`${who}.command_line`]),
    user: firstText(fields[who === "process" ? "user.name" : "process.parent.user.name"]),
    started: start?.time,
    event: start?.id,
  };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as ProcessThen;
}
