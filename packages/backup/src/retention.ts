/** Which backups are kept, and the removal of what none of them needs. Knows no file. */
import type { Repository } from "./repository.ts";

export interface Keeping {
  /** The newest so many, at least one. */
  readonly newest: number;
  /** Of each of so many days past (UTC), its last. */
  readonly days: number;
}

/** @param ids oldest first, as `newId` makes them @returns those to go */
export function expired(ids: readonly string[], { newest, days }: Keeping): readonly string[] {
  const kept = new Set(ids.slice(-Math.max(1, newest)));
  const lastOfDay = new Map(ids.map((id) => [id.slice(0, 8), id]));
  for (const id of days > 0 ? [...lastOfDay.values()].slice(-days) : []) kept.add(id);
  return ids.filter((id) => !kept.has(id));
}

export interface Pruned {
  readonly backups: readonly string[];
  readonly objects: number;
  readonly bytes: number;
}

/**
 * The caller holds the repository's lock. Manifests go first: what is interrupted leaves objects that the next one removes.
 * Nothing is swept while a manifest cannot be read: what it needs is not known.
 */
export async function prune(repository: Repository, keeping: Keeping): Promise<Pruned> {
  const ids = (await repository.list()).map(({ id }) => id);
  const gone = expired(ids, keeping);
  for (const id of gone) await repository.remove(id);
  const needed = new Set<string>();
  for (const { id } of await repository.list())
    for (const { chunks } of (await repository.manifest(id)).files) for (const name of chunks) needed.add(name);
  return { backups: gone, ...(await repository.objects.sweep(needed)) };
}
