import { join } from "node:path";
import type { Readable } from "@vedette/condition";
import { beforeAll, describe, expect, test } from "vitest";
import { evtxEvent, readJsonLines, sharedSet, shippedPipelines, sigmaHqTexts } from "./corpora.test.data.ts";
import { type ParsedRules, parseRuleFiles, type SigmaRule } from "./rule.ts";
import { compileRules, type RuleSet } from "./ruleset.ts";

const set = sharedSet("sigma");
const samples = sharedSet("evtx-attack-samples");

interface Case {
  readonly case_id: string;
  readonly rule_ids: readonly string[];
  readonly match_count: number | null;
  readonly events: readonly unknown[];
}
interface Oracle {
  readonly case_id: string;
  readonly agreed: { readonly [rule: string]: readonly number[] };
  readonly disputed: { readonly [rule: string]: readonly (readonly [number, string])[] };
}

// SigmaHQ's rules and events as ../shared/data/sigma holds them; skipped where that folder is not beside the repository.
describe.skipIf(set === undefined)("SigmaHQ", () => {
  let texts: ReturnType<typeof sigmaHqTexts>;
  let all: ParsedRules;
  let rules: SigmaRule[];
  let engine: RuleSet;
  const events = new Map<string, readonly Readable[]>();
  let cases: Case[];

  beforeAll(() => {
    texts = sigmaHqTexts(set!, /^(rules|deprecated|unsupported)/);
    all = parseRuleFiles(texts);
    rules = all.rules.filter((r) => r.file.startsWith("rules"));
    engine = compileRules(rules, { pipelines: shippedPipelines() });
    cases = readJsonLines<Case>(join(set!, "regression-cases.jsonl.gz"));
    for (const c of cases) events.set(c.case_id, c.events.map(evtxEvent));
  }, 60_000);

  test("every rule of the index loads or is refused by name", () => {
    const index = readJsonLines<{ id: string; path: string }>(join(set!, "rules-index.jsonl.gz"));
    const known = new Set([...all.rules.map((r) => r.id), ...all.refused.map((r) => r.id)]);
    expect(index.filter((r) => r.id !== "None" && !known.has(r.id)).map((r) => r.path)).toEqual([]);
    expect(all.rules.length + all.refused.length).toBeGreaterThanOrEqual(texts.length);
  });

  test("of the rules in force, only those with a placeholder are refused", () => {
    const refused = all.refused.filter((r) => r.file.startsWith("rules"));
    expect(refused.filter((r) => !r.construct.includes("|expand"))).toEqual([]);
    expect([rules.length, refused.length]).toEqual([3755, 25]);
  });

  test("with values for their placeholders these load too, and find their events", () => {
    const left = texts.filter(({ file }) => file.startsWith("rules") && all.refused.some((r) => r.file === file));
    const names = left.flatMap(({ text }) => [...text.matchAll(/%([\w.-]+)%/g)].map(([, name]) => name!));
    const { rules, refused } = parseRuleFiles(left, { placeholders: Object.fromEntries(names.map((name) => [name, ["one", "two"]])) });
    expect(refused).toEqual([]);
    expect(compileRules(rules, { pipelines: shippedPipelines() }).rules).toHaveLength(25);
  });

  test("of those not in force, refusals name aggregation, timeframe or an old document form", () => {
    const refused = all.refused.filter((r) => !r.file.startsWith("rules"));
    const odd = refused.filter((r) => !/timeframe|\||near|action|title|expand|selection/.test(`${r.construct} ${r.expected}`));
    expect(odd).toEqual([]);
  });

  test("every rule finds its events in our pipelines, but for two products that nobody ships logs of", () => {
    expect(engine.refused.map((r) => r.construct).sort()).toEqual([
      "logsource product: paloalto, service: globalprotect, category: file_event",
      "logsource product: qualys",
      "logsource product: qualys",
    ]);
    expect(engine.rules.length).toBe(3752);
  });

  test("every regression case matches as recorded", () => {
    const out: number[] = [];
    const missed = cases.flatMap((c) =>
      c.rule_ids.filter((id) => {
        const hits = events.get(c.case_id)!.filter((e) => {
          engine.match(e, out);
          return out.some((i) => engine.rules[i]!.id === id);
        });
        return hits.length < (c.match_count ?? 1);
      }),
    );
    expect(missed).toEqual([]);
    expect(cases).toHaveLength(94);
  });

  test.skipIf(samples === undefined)("what two other engines agree on, we find, and hardly anything else", () => {
    for (const f of readJsonLines<Case>(join(samples!, "files.jsonl.gz"))) events.set(f.case_id, f.events.map(evtxEvent));
    let agreed = 0;
    const missed: string[] = [];
    const extra: string[] = [];
    const out: number[] = [];
    for (const oracle of readJsonLines<Oracle>(join(set!, "oracle-two-engines.jsonl.gz"))) {
      events.get(oracle.case_id)!.forEach((event, k) => {
        engine.match(event, out);
        const found = new Set(out.map((i) => engine.rules[i]!.id));
        for (const [id, hits] of Object.entries(oracle.agreed)) {
          if (!hits.includes(k)) continue;
          if (found.delete(id)) agreed++;
          else missed.push(`${id} ${oracle.case_id} ${k}`);
        }
        for (const id of found) if (!oracle.disputed[id]?.some(([hit]) => hit === k)) extra.push(`${id} ${event.fields["event.code"]}`);
      });
    }
    expect(missed).toEqual([]);
    expect(agreed).toBe(810);
    // Read one by one, these are right by their rules: `127.*` in a list, re|i, a name with a space, and process starts of Security 4688.
    expect(extra.sort()).toEqual([
      ...Array(4).fill("5bed80b6-b3e8-428e-a3ae-d3c757589e41 5156"),
      "a7c3e5f2-8b1d-4e9a-b6c2-3d7f5e8a9b4c 1119",
      "c75309a3-59f8-4a8d-9c2c-4c927ad50555 4688",
      "d21374ff-f574-44a7-9998-4a8c8bf33d7d 4688",
      "fff9d2b7-e11c-4a69-93d3-40ef66189767 1",
    ]);
  });

  test("the index finds what plain evaluation finds", () => {
    const sample = [...events.values()].flat().filter((_, i) => i % 40 === 0);
    const out: number[] = [];
    for (const event of sample) {
      engine.match(event, out);
      const plain = engine.rules.flatMap((_, i) => (engine.test(i, event) ? [i] : []));
      expect(out).toEqual(plain);
    }
    expect(sample.length).toBeGreaterThan(0);
  });
});
