/**
 * Attacks and honest texts in query strings, as two projects label them, sent as lines of an access log: what share the bundled rules name, and how
 * many honest ones they name too. Skipped where the sets are not beside the repository.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { formats } from "@vedette/normalise";
import { Analyser, encodeRecords } from "@vedette/pipeline";
import { describe, expect, test } from "vitest";
import { bundled } from "./replay.ts";
import { found, present } from "./sets.ts";

interface Labelled {
  readonly label: string;
  readonly text: string;
}

const unzipped = (...of: [string, string]): string => gunzipSync(readFileSync(found(...of)[0]!)).toString();
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
};

/** libinjection's lines are partly coded: decoded once, as its README says. */
const payloads = (): Labelled[] =>
  unzipped("waf-payloads", "payloads.jsonl.gz")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { label: string; source: string; encoding?: string; payload: string })
    .filter(({ source }) => source.startsWith("libinjection/"))
    .map(({ label, encoding, payload }) => ({ label, text: encoding === "raw" ? payload : decoded(payload) }));

/** `"payload","length","attack_type","label"`; a quote in a text is doubled. */
const parameters = (): Labelled[] =>
  [...unzipped("http-params", "payload_train.csv.gz").matchAll(/^"((?:[^"]|"")*)","\d+","(\w[\w-]*)","\w+"\r?$/gm)].map(
    ([, text, label]) => ({ label: label!, text: text!.replaceAll('""', '"') }),
  );

/** Of each label: how many there are, and of how many a rule says something. */
async function named(texts: readonly Labelled[]): Promise<Map<string, readonly [all: number, named: number]>> {
  const analyser = new Analyser(await formats());
  const compiled = await bundled();
  const lines = texts.map(({ text }) =>
    Buffer.from(
      `203.0.113.9 - - [21/Nov/2026:10:00:00 +0000] "GET /search?q=${encodeURIComponent(text.toWellFormed())} HTTP/1.1" 200 512 "-" "Mozilla/5.0"`,
    ),
  );
  const header = {
    kind: "records" as const,
    version: 1 as const,
    program: "",
    tenant: "main",
    source: "web",
    received: Date.UTC(2026, 10, 21, 11) * 1_000,
    demo: false,
    seq: 0,
    runs: [{ stream: "access.log", format: "nginx_access", count: lines.length }],
    positions: lines.map((_, i) => String(i)),
  };
  const job = {
    entries: [{ offset: 0, bytes: encodeRecords(header, lines) }],
    sample: false,
    store: false,
    findingsPerRule: Number.POSITIVE_INFINITY,
  };
  const hit = new Set(analyser.analyse(job, compiled).findings.map((f) => f.evidence[0]!.seq));
  const counts = new Map<string, readonly [number, number]>();
  texts.forEach(({ label }, i) => {
    const [all, some] = counts.get(label) ?? [0, 0];
    counts.set(label, [all + 1, some + (hit.has(i) ? 1 : 0)]);
  });
  return counts;
}

describe.skipIf(!present)("requests", () => {
  test("libinjection's collections of injections and of texts that only look so", async () => {
    expect(Object.fromEntries(await named(payloads()))).toEqual({ benign: [198, 3], sqli: [8537, 8228], xss: [834, 827] });
  });
  test("HttpParams: 12,870 honest parameters and four kinds of attacks", async () => {
    expect(Object.fromEntries(await named(parameters()))).toEqual({
      norm: [12870, 0],
      sqli: [7235, 7179],
      xss: [355, 347],
      cmdi: [59, 45],
      "path-traversal": [193, 135],
    });
  });
});
