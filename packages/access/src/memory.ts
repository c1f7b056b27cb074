/** People, sessions and keys in memory, for tests. Keeps nothing. */
import type { KeyRow, KeyStore, PeopleStore, PersonRow, SessionRow } from "@vedette/model";

export function memoryPeople(): PeopleStore {
  const people = new Map<string, PersonRow>();
  const sessions = new Map<string, SessionRow>();
  return {
    load: async (now) => ({ people: [...people.values()], sessions: [...sessions.values()].filter(({ expires }) => expires > now) }),
    save: async (change) => {
      for (const id of change.removedPeople ?? []) people.delete(id);
      for (const id of change.removedSessions ?? []) sessions.delete(id);
      for (const one of change.people ?? []) people.set(one.id, one);
      for (const one of change.sessions ?? []) sessions.set(one.id, one);
    },
  };
}

export function memoryKeys(): KeyStore {
  const keys = new Map<string, KeyRow>();
  return {
    load: async (now) => [...keys.values()].filter(({ expires }) => expires > now),
    save: async (change) => {
      for (const hash of change.removed ?? []) keys.delete(hash);
      for (const one of change.keys ?? []) keys.set(one.hash, one);
    },
  };
}
