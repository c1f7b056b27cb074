/** Fields that appear in or vanish from events of one kind, against the last day. Knows no field. */
import type { Micros } from "@vedette/model";
import type { QualityDelta } from "./tally.ts";

interface Counts {
  sampled: number;
  readonly fields: Map<string, number>;
}
interface Kind {
  /** The hour that is not over yet. */
  hour: number;
  now: Counts;
  /** What came before, by six hours: the day is told apart no finer. */
  blocks: { readonly block: number; readonly counts: Counts }[];
  drift: Drift | undefined;
}
export interface Drift {
  readonly appeared: readonly string[];
  readonly vanished: readonly string[];
  readonly at: Micros;
}

const hourLength: Micros = 3_600_000_000;
const blockHours = 6;
const blocksADay = 4;
/** Samples that the last day and this hour must have: below it a field may be missing by chance (0.5 to the power of 20 is one in a million). */
const enough = { before: 100, now: 20 } as const;
/** In so large a part of the samples a field is part of what a kind of event is. */
const usual = 0.5;
const maxKinds = 500;
const maxFields = 512;

export class DriftWatch {
  readonly #kinds = new Map<string, Kind>();

  add({ kinds }: QualityDelta, wall: Micros): void {
    const hour = Math.floor(wall / hourLength);
    for (const { source, kind, sampled, fields } of kinds) {
      const key = `${source}\0${kind}`;
      let of = this.#kinds.get(key);
      if (!of) {
        if (this.#kinds.size >= maxKinds) continue;
        of = { hour, now: none(), blocks: [], drift: undefined };
        this.#kinds.set(key, of);
      }
      if (of.hour !== hour) turn(of, hour);
      of.now.sampled += sampled;
      for (const [name, n] of Object.entries(fields)) count(of.now, name, n);
    }
  }

  /** Kinds whose drift began or ended since the last call. */
  look(
    wall: Micros,
  ): readonly { readonly source: string; readonly kind: string; readonly drift: Drift | undefined; readonly began: Micros }[] {
    const changed: { source: string; kind: string; drift: Drift | undefined; began: Micros }[] = [];
    for (const [key, of] of this.#kinds) {
      const found = driftOf(of, wall);
      if ((found === undefined) === (of.drift === undefined)) continue;
      const [source = "", kind = ""] = key.split("\0");
      changed.push({ source, kind, drift: found, began: of.drift?.at ?? wall });
      of.drift = found;
    }
    return changed;
  }

  /** Kinds that drift now, of one source. */
  of(source: string): readonly (Drift & { readonly kind: string })[] {
    return [...this.#kinds].flatMap(([key, { drift }]) => {
      const [of, kind = ""] = key.split("\0");
      return of === source && drift ? [{ kind, ...drift }] : [];
    });
  }
  /** Fields of this source's newest samples, with how many had each. */
  fieldsOf(source: string): ReadonlyMap<string, number> {
    const all = new Map<string, number>();
    for (const [key, { now }] of this.#kinds)
      if (key.startsWith(`${source}\0`)) for (const [name, n] of now.fields) all.set(name, (all.get(name) ?? 0) + n);
    return all;
  }

  entries(): readonly SavedKind[] {
    const saved = ({ sampled, fields }: Counts): SavedCounts => [sampled, [...fields]];
    return [...this.#kinds].map(([key, { hour, now, blocks, drift }]) => [
      key,
      hour,
      saved(now),
      blocks.map(({ block, counts }) => [block, saved(counts)] as const),
      drift,
    ]);
  }
  restore(entries: readonly SavedKind[]): void {
    const counts = ([sampled, fields]: SavedCounts): Counts => ({ sampled, fields: new Map(fields) });
    for (const [key, hour, now, blocks, drift] of entries)
      this.#kinds.set(key, {
        hour,
        now: counts(now),
        blocks: blocks.map(([block, one]) => ({ block, counts: counts(one) })),
        drift: drift ?? undefined,
      });
  }
}

type SavedCounts = readonly [sampled: number, fields: readonly (readonly [string, number])[]];
export type SavedKind = readonly [
  key: string,
  hour: number,
  now: SavedCounts,
  blocks: readonly (readonly [number, SavedCounts])[],
  drift: Drift | null | undefined,
];

const none = (): Counts => ({ sampled: 0, fields: new Map() });
function count(into: Counts, name: string, n: number): void {
  if (into.fields.has(name) || into.fields.size < maxFields) into.fields.set(name, (into.fields.get(name) ?? 0) + n);
}
function merge(into: Counts, more: Counts): void {
  into.sampled += more.sampled;
  for (const [name, n] of more.fields) count(into, name, n);
}

/** The hour that is over becomes part of its six hours. */
function turn(of: Kind, hour: number): void {
  const block = Math.floor(of.hour / blockHours);
  if (of.blocks[0]?.block !== block) of.blocks.unshift({ block, counts: none() });
  merge(of.blocks[0]!.counts, of.now);
  const oldest = Math.floor(hour / blockHours) - blocksADay;
  of.blocks = of.blocks.filter((one) => one.block >= oldest);
  [of.hour, of.now] = [hour, none()];
}

/** This hour against those before it in the day; after a day of the new shape that is what is usual, and the drift is over. */
function driftOf({ now, blocks }: Kind, wall: Micros): Drift | undefined {
  if (now.sampled < enough.now) return undefined;
  const past = none();
  for (const { counts } of blocks) merge(past, counts);
  if (past.sampled < enough.before) return undefined;
  const appeared = [...now.fields].flatMap(([name, n]) => (n >= usual * now.sampled && !past.fields.has(name) ? [name] : []));
  const vanished = [...past.fields].flatMap(([name, n]) => (n >= usual * past.sampled && !now.fields.has(name) ? [name] : []));
  return appeared.length + vanished.length === 0 ? undefined : { appeared: appeared.sort(), vanished: vanished.sort(), at: wall };
}
