/** People and their sessions as the state store keeps them; what a body says is for `@vedette/access` to know. Types only. */
import type { Micros } from "./event.ts";

export interface PersonRow {
  readonly id: string;
  /** Unique, as it is signed in with. */
  readonly name: string;
  /** JSON. */
  readonly body: string;
}

/** A browser's session, or what an API client's refresh tokens go back to. */
export interface SessionRow {
  readonly id: string;
  /** Whose: a person's id, or empty for the shared admin token's. */
  readonly person: string;
  readonly expires: Micros;
  /** JSON. */
  readonly body: string;
}

/** What is written at once, or not at all; a row takes the place of the one with its id. */
export interface PeopleChange {
  readonly people?: readonly PersonRow[];
  readonly sessions?: readonly SessionRow[];
  readonly removedPeople?: readonly string[];
  readonly removedSessions?: readonly string[];
}

export interface PeopleStore {
  /** Everybody, and the sessions that expire after `now`; the others are deleted. */
  load(now: Micros): Promise<{ readonly people: readonly PersonRow[]; readonly sessions: readonly SessionRow[] }>;
  /** Resolves when durable. @throws VedetteError `conflict` when two people would have one name */
  save(change: PeopleChange): Promise<void>;
}
