/** Spreads items evenly over members, each process alone coming to the same answer. Knows neither what the items are nor who has a lease. */
import { hash } from "node:crypto";

/** How much a member is meant to have an item: the same everywhere, and for each pair apart (rendezvous hashing, Thaler and Ravishankar 1998). */
const score = (item: string, member: string): number => hash("sha256", `${member}\0${item}`, "buffer").readUIntBE(0, 6);

/** How many each may have: all have `least`, and as many as are left over one more; those who hold most are among them. */
function quotas(members: readonly string[], items: number, keeps: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const least = Math.floor(items / members.length);
  const over = items % members.length;
  const byHeld = [...members].sort((a, b) => keeps.get(b)!.length - keeps.get(a)!.length || (a < b ? -1 : 1));
  return new Map(byHeld.map((member, index) => [member, index < over ? least + 1 : least]));
}

/**
 * Which member each item belongs to. No member has more than one item more than another. What a member holds stays with it as far as that allows,
 * so that no more moves than must; the rest goes by rendezvous hashing, so that members that see the same come to the same.
 * @param held who holds an item now, if a member does
 * @returns item → member; empty without members
 */
export function assign(
  items: readonly string[],
  members: readonly string[],
  held: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const all = [...new Set(items)];
  const keeps = new Map([...new Set(members)].map((member) => [member, [] as string[]]));
  const names = [...keeps.keys()];
  const owners = new Map<string, string>();
  if (names.length === 0) return owners;
  for (const item of all) keeps.get(held.get(item) ?? "")?.push(item);
  const room = quotas(names, all.length, keeps);
  const give = (item: string, member: string) => {
    owners.set(item, member);
    room.set(member, room.get(member)! - 1);
  };
  for (const [member, own] of keeps) {
    const best = own.sort((a, b) => score(b, member) - score(a, member));
    for (const item of best.slice(0, room.get(member))) give(item, member);
  }
  const left = all.filter((item) => !owners.has(item));
  const pairs = left.flatMap((item) =>
    names.filter((name) => room.get(name)! > 0).map((member) => ({ item, member, score: score(item, member) })),
  );
  // both names decide between equal scores, so that the order the lists came in does not
  pairs.sort((a, b) => b.score - a.score || (a.item + a.member < b.item + b.member ? -1 : 1));
  for (const { item, member } of pairs) if (!owners.has(item) && room.get(member)! > 0) give(item, member);
  return owners;
}
