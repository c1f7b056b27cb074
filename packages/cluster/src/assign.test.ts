import fc from "fast-check";
import { expect, test } from "vitest";
import { assign } from "./assign.ts";

const names = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}${i}`);
const shards = names("shard/", 64);
const counts = (owners: ReadonlyMap<string, string>, members: readonly string[]) =>
  members.map((member) => [...owners.values()].filter((owner) => owner === member).length);
const moved = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) =>
  [...after].filter(([item, owner]) => before.get(item) !== owner).map(([item]) => item);

const membersOf = fc.uniqueArray(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 12 });
const itemsOf = fc.uniqueArray(fc.string({ maxLength: 12 }), { maxLength: 70 });

test("every item has a member, and no member has more than one more than another, whatever was held", () => {
  fc.assert(
    fc.property(itemsOf, membersOf, fc.array(fc.nat(14), { minLength: 70, maxLength: 70 }), (items, members, who) => {
      // some are held by nobody, and some by who is gone
      const held = new Map(items.flatMap((item, i) => (who[i]! < 13 ? [[item, members[who[i]!] ?? "gone"] as const] : [])));
      const owners = assign(items, members, held);
      expect([...owners.keys()].sort()).toEqual([...items].sort());
      const loads = counts(owners, members);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});

test("the order in which items and members are listed changes nothing, nor do repeats", () => {
  fc.assert(
    fc.property(itemsOf, membersOf, fc.nat(11), (items, members, some) => {
      const held = new Map(items.filter((_, i) => i % 3 === 0).map((item) => [item, members[some % members.length]!]));
      const owners = assign(items, members, held);
      const again = assign([...items, ...items].reverse(), [...members, ...members].reverse(), new Map([...held].reverse()));
      expect([...again].sort()).toEqual([...owners].sort());
    }),
    { numRuns: 200 },
  );
});

test("where all is held and even, nothing moves", () => {
  fc.assert(
    fc.property(itemsOf, membersOf, (items, members) => {
      const owners = assign(items, members);
      expect(moved(owners, assign(items, members, owners))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test("when a member comes or goes only as much moves as must", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.string(), (count, seed) => {
      const members = names(`member ${seed} `, count + 1);
      const fewer = members.slice(1);
      const all = assign(shards, members);
      const gone = moved(all, assign(shards, fewer, all));
      expect(gone.sort()).toEqual(shards.filter((shard) => all.get(shard) === members[0]).sort());
      const few = assign(shards, fewer);
      expect(moved(few, assign(shards, members, few))).toHaveLength(Math.floor(shards.length / members.length));
    }),
    { numRuns: 60 },
  );
});

test("nobody is there: nobody has anything", () => {
  expect(assign(shards, [])).toEqual(new Map());
});
