/** What every detector owes whatever comes: tallies that no order changes, states that stay small, no exception. */
import { type DetectorSpec, newFields } from "@vedette/kit";
import type { Event, Fields } from "@vedette/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Folded } from "./folded.fixture.ts";
import { detectors, prepareDetectors } from "./index.ts";

/** Serialised state of one key, at most: a hundred thousand of the worst would be 13 GB, of ordinary ones some kilobytes each. */
const maxState = 131_072;

function eventOf(fields: Fields, time: number, n: number): Event {
  return { id: `e${n}`, tenant: "main", source: "s", time, received: time, seq: n, class: "network", host: "h", fields, original: "" };
}
const exampleFields = (spec: DetectorSpec): Fields[] =>
  spec.examples.flatMap((e) => e.events.map(({ fields }) => Object.assign(newFields(), fields)));
/** The settings of the first example: detectors that are off by default are on there. */
const settingsOf = (spec: DetectorSpec) => spec.examples[0]!.config ?? {};

const odd = [
  "__proto__",
  "constructor",
  "\0",
  "\u001f",
  "",
  "x".repeat(10_000),
  "ff02::1",
  "10.0.0.1",
  "::",
  "a.b.c.d.example.com",
  "-",
  "é".repeat(300),
];
const hostileValue = fc.oneof(
  fc.constantFrom(...odd),
  fc.constantFrom(-1, 0, 1e308, Number.MAX_SAFE_INTEGER, true, false, null),
  fc.constant(["a", "b"]),
  fc.constant([]),
  fc.string({ maxLength: 40 }),
);

for (const [name, spec] of await detectors()) {
  describe(name, () => {
    test("takes any value of any field", async () => {
      const stage = await prepareDetectors({ [name]: settingsOf(spec) });
      const { expires } = stage.detectors.get(name)!.spec;
      const bases = exampleFields(spec).slice(0, 5);
      const names = [...new Set(bases.flatMap((f) => Object.keys(f)))];
      const change = fc.record({
        base: fc.nat(bases.length - 1),
        field: fc.constantFrom(...names),
        value: hostileValue,
        gap: fc.nat(120_000_000),
      });
      fc.assert(
        fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
          const folded = new Folded(stage, name);
          let time = 1_700_000_000_000_000;
          changes.forEach(({ base, field, value, gap }, n) => {
            time += gap;
            folded.observe(eventOf(Object.assign(newFields(), bases[base], { [field]: value }), time, n));
          });
          folded.flush();
          for (const [id, state] of folded.states)
            if (state !== undefined && id.startsWith(`${name}\0`)) expect(Number.isFinite(expires(state, folded.config))).toBe(true);
          for (const claim of folded.claims) {
            expect(claim.window.start).toBeLessThanOrEqual(claim.window.end);
            expect(claim.events.length).toBeLessThanOrEqual(1_000);
            expect(claim.entities.length).toBeGreaterThan(0);
            expect(claim.summary).not.toMatch(/NaN|undefined|Infinity/);
          }
        }),
        { numRuns: 60, seed: 1 },
      );
    });

    test("keeps little of a key, however much of it comes", async () => {
      const folded = await Folded.of(name, settingsOf(spec));
      const bases = exampleFields(spec);
      const sizes: number[] = [];
      for (let n = 0; n < 4_000; n++) {
        const fields = varied(bases[n % bases.length]!, n);
        if (name !== "password_spraying" && n % 5 === 0) fields["source.ip"] = `198.51.${n % 100}.${n % 250}`;
        folded.observe(eventOf(fields, 1_700_000_000_000_000 + n * 1_000_000, n));
        if (n % 50 === 49) folded.flush();
        if (n % 500 === 499) for (const state of folded.states.values()) sizes.push(JSON.stringify(state ?? null).length);
      }
      expect(folded.states.size).toBeGreaterThan(0);
      expect(Math.max(0, ...sizes)).toBeLessThan(maxState);
    });

    test.skipIf(spec.tally === undefined)("no order of merging changes a tally", async () => {
      const stage = await prepareDetectors({ [name]: settingsOf(spec) });
      const { config } = stage.detectors.get(name)!;
      const tally = spec.tally!;
      const all = exampleFields(spec)
        .slice(0, 60)
        .flatMap((f, n) => [f, varied(f, n * 7 + 1)])
        .filter((f) => spec.key(f, config) !== undefined);
      const part = fc.array(fc.nat(all.length - 1), { minLength: 1, maxLength: 12 });
      const sum = (indices: readonly number[]) =>
        indices
          .map((i) => tally.of(all[i]!, 1_700_000_000_000_000 + i * 1_000_000, config, `e${i}`))
          .reduce((into, more) => tally.merge(into, more, config));
      fc.assert(
        fc.property(part, part, part, (a, b, c) => {
          const left = tally.merge(tally.merge(sum(a), sum(b), config), sum(c), config);
          const right = tally.merge(sum(c), tally.merge(sum(b), sum(a), config), config);
          const straight = sum([...a, ...b, ...c].reverse());
          expect(sorted(right)).toEqual(sorted(left));
          expect(sorted(straight)).toEqual(sorted(left));
          expect(JSON.parse(JSON.stringify(left))).toEqual(left);
        }),
        { numRuns: 100, seed: 1 },
      );
    });
  });
}

/** What an attacker can vary without end; the address that most detectors count by stays. */
function varied(base: Fields, n: number): Fields {
  const other: Fields = {
    "destination.ip": n & 1 ? `203.0.${(n >> 8) % 256}.${n % 256}` : base["destination.ip"],
    "destination.port": n & 2 ? n % 65_536 : base["destination.port"],
    "source.bytes": 10_000 + n * 7_919,
    "dns.question.name": `${"x".repeat(40)}${n}.${n % 3 === 0 ? "t" : `zqxvk${n}`}.example`,
    "host.name": `host${n}`,
    "process.executable": `/opt/${"p".repeat(200)}${n}`,
    "user.name": n % 2 === 0 ? `user${n}` : base["user.name"],
  };
  const fields = Object.assign(newFields(), base);
  for (const field in other) if (base[field] !== undefined) fields[field] = other[field];
  return fields;
}

/** Histograms are sets of pairs: their order says nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sorted(v)]));
}
