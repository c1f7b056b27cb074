/** The bundled rules as a hostile reader sees them: each sees data in lines that a format decodes, and says of ATT&CK what ATT&CK says. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { formats } from "@vedette/normalise";
import { expect, test } from "vitest";
import { Collection } from "./collection.ts";
import { Coverage } from "./coverage.ts";
import { ruleFiles } from "./files.ts";

interface Case {
  readonly expect: string;
  readonly raw?: string;
  readonly format?: string;
  readonly stream?: string;
  readonly preamble?: string;
}
const collection = new Collection(ruleFiles([]));
const documents = [...collection.rules, ...collection.correlations];
const attack = join(
  process.env["VEDETTE_SHARED"] ?? fileURLToPath(new URL("../../../../../../shared", import.meta.url)),
  "data/threat-intel/attack-enterprise-techniques.jsonl.gz",
);

test("each rule sees data in original lines: what no format brings, no rule may wait for", async () => {
  const known = await formats();
  const coverage = new Coverage(collection);
  const without: string[] = [];
  for (const { id, title, vedette } of documents) {
    const cases = ((vedette?.tests ?? []) as readonly Case[]).filter((one) => one.raw !== undefined);
    if (!cases.some((one) => one.expect === "match") && !collection.linked.silent.has(id)) without.push(title);
    for (const { raw, format, stream = "case", preamble } of cases) {
      const spec = known.get(format!)!;
      const decode = spec.decoder(spec.config.parse({}));
      for (const line of raw!.split("\n").filter((l) => l.trim() !== "")) {
        const result = decode(line, { preamble, received: 1_790_000_000_000_000, peer: undefined, source: "case", stream });
        for (const { fields } of Array.isArray(result) ? result : "fields" in result ? [result] : [])
          coverage.add({ fields, original: line });
      }
    }
  }
  expect(without).toEqual([]);
  const results = coverage.results();
  expect(results.length).toBe(documents.length);
  expect(results.filter(({ sees }) => !sees).map(({ rule, why }) => `${rule.title}: ${why}`)).toEqual([]);
});

// ATT&CK's own list is not shipped; skipped where ../shared is not beside the repository
test.skipIf(!existsSync(attack))("techniques are in use, and each tactic is one of a technique that the rule names", () => {
  interface Technique {
    readonly id: string;
    readonly tactics: readonly string[];
    readonly revoked: boolean;
    readonly deprecated: boolean;
  }
  const lines = gunzipSync(readFileSync(attack)).toString("utf8").split("\n");
  const all = new Map(
    lines.flatMap((line) => {
      const one = line === "" ? undefined : (JSON.parse(line) as Technique);
      return one && !one.revoked && !one.deprecated ? [[one.id, one.tactics] as const] : [];
    }),
  );
  const odd = documents.flatMap(({ title, tags, attack: techniques }) => {
    const tactics = tags.flatMap((tag) => /^attack\.([a-z-]+)$/.exec(tag)?.[1] ?? []);
    return [
      ...techniques.filter((id) => !all.has(id)).map((id) => `${title}: ${id} is not in use`),
      ...techniques.filter((id) => all.get(id)?.some((one) => tactics.includes(one)) === false).map((id) => `${title}: no tactic of ${id}`),
      ...tactics.filter((one) => !techniques.some((id) => all.get(id)?.includes(one))).map((one) => `${title}: ${one} without a technique`),
    ];
  });
  expect(odd).toEqual([]);
});
