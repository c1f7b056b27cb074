/** Holds what a data set comes to against the files beside this one, or renews them: UPDATE_GOLDEN=1. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Finding } from "@vedette/model";
import { describe, expect, test } from "vitest";
import { type Result, replay } from "./replay.ts";
import { type GoldenSet, present, sets } from "./sets.ts";

const update = process.env["UPDATE_GOLDEN"] === "1";
/** Entities of a rule are listed up to so many; beyond it only their number. */
const maxListed = 20;

/**
 * One test a file: `summary.json` (what became of every record), `findings.jsonl` (keyed detectors) and `rules.jsonl` (the bundled rules,
 * apart because they change more often).
 */
export function goldenTests(which: (set: GoldenSet) => boolean): void {
  for (const set of sets.filter(which)) {
    describe.skipIf(!present)(set.name, () => {
      let result: Promise<Result> | undefined;
      const run = () => {
        result ??= withTemporary((folder) => replay(set.files(folder)));
        return result;
      };
      test("every record is accounted for", async () => {
        const { summary } = await run();
        const dead = sum(summary.dead);
        expect(summary.records).toBeGreaterThan(0);
        expect(summary.records + summary.split).toBe(summary.stored + dead + sum(summary.dropped));
        hold(set, "summary.json", `${JSON.stringify(sorted(summary), null, 1)}\n`);
      });
      test("keyed detectors", async () => {
        hold(set, "findings.jsonl", lines((await run()).episodes.map((f) => episode(set, f))));
      });
      test("bundled rules", async () => {
        hold(set, "rules.jsonl", lines(byRule(set, (await run()).matches)));
      });
    });
  }
}

function hold(set: GoldenSet, name: string, text: string): void {
  const file = fileURLToPath(new URL(`./${set.name}/${name}`, import.meta.url));
  if (update) {
    mkdirSync(fileURLToPath(new URL(`./${set.name}/`, import.meta.url)), { recursive: true });
    writeFileSync(file, text);
  } else expect(text, `${set.name}/${name}; if the change is meant: UPDATE_GOLDEN=1`).toBe(readFileSync(file, "utf8"));
}

async function withTemporary<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "vedette-golden-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Entities of sets that may not be shipped are told apart by a hash. */
function entity(set: GoldenSet, { type, id }: Finding["entities"][number]): string {
  return `${type}=${set.open ? id : createHash("sha256").update(id).digest("hex").slice(0, 12)}`;
}

function episode(set: GoldenSet, f: Finding): object {
  return {
    rule: f.rule.id,
    entities: f.entities.map((e) => entity(set, e)),
    severity: f.severity,
    start: new Date(f.window.start / 1_000).toISOString(),
    end: new Date(f.window.end / 1_000).toISOString(),
    count: f.count,
    canonical: f.canonical,
  };
}

/** A line a rule and what it is about. */
function byRule(set: GoldenSet, findings: readonly Finding[]): object[] {
  const rules = new Map<string, { title: string; level: string; matches: number; entities: Map<string, number> }>();
  for (const f of findings) {
    const rule = rules.get(f.rule.id) ?? { title: f.rule.title, level: f.severity, matches: 0, entities: new Map() };
    rules.set(f.rule.id, rule);
    rule.matches++;
    const about = f.entities.map((e) => entity(set, e)).join(" ");
    rule.entities.set(about, (rule.entities.get(about) ?? 0) + 1);
  }
  return [...rules].flatMap(([rule, { title, level, matches, entities }]): object[] =>
    entities.size > maxListed
      ? [{ rule, title, level, matches, entities: entities.size }]
      : [...entities].map(([about, n]) => ({ rule, title, level, matches: n, entity: about })),
  );
}

const lines = (rows: readonly object[]): string =>
  rows
    .map((r) => `${JSON.stringify(r)}\n`)
    .sort()
    .join("");
const sum = (counts: { readonly [name: string]: number }): number => Object.values(counts).reduce((a, b) => a + b, 0);

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}
