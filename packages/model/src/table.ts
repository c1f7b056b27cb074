/** What enrichers look things up in, as people see it. Types only. */
import type { Micros } from "./event.ts";

/** The content of an enricher's table that is in force. */
export interface TableRef {
  /** Content hash: what it says, for the log. */
  readonly hash: string;
  readonly bytes: number;
  readonly rows: number;
  /** When it came into force, and by whom. */
  readonly at: Micros;
  readonly by: string;
  /** Where it was read from; absent for one that came through the API. */
  readonly file?: string;
}

/** An enricher as people see it. */
export interface EnricherLine {
  readonly name: string;
  readonly summary: string;
  /** `waiting`: it has no table; `broken`: the table cannot be read. */
  readonly state: "running" | "off" | "waiting" | "broken";
  /** Why it is broken, or what it waits for. */
  readonly reason?: string;
  /** Whether its table may be put through the API. */
  readonly inventory: boolean;
  readonly table?: TableRef;
}
