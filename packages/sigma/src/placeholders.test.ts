/** The rules of SigmaHQ that leave values to the site, with values given: skipped where ../shared/data/sigma is not beside the repository. */
import { expect, test } from "vitest";
import { sharedSet, shippedPipelines, sigmaHqTexts } from "./corpora.test.data.ts";
import { parseRuleFiles } from "./rule.ts";
import { compileRules } from "./ruleset.ts";
import { synthesise } from "./synthesise.ts";

const set = sharedSet("sigma");

/** What a site would put there: addresses where addresses are asked for, accounts of machines with the sign they end with. */
const valuesOf = (name: string) =>
  /ip|range|location/i.test(name) ? ["192.0.2.7", "198.51.100.9"] : [1, 2].map((n) => `${name}-${n}${/account/.test(name) ? "$" : ""}`);

test.skipIf(set === undefined)("the 25 rules with placeholders load with values, hold for an event, and name the values", () => {
  const texts = sigmaHqTexts(set!, /^rules-(placeholder|emerging)/);
  const without = parseRuleFiles(texts).refused;
  expect(without).toHaveLength(25);
  const files = texts.filter(({ file }) => without.some((one) => one.file === file));
  // a rule names the first that it lacks: as one goes on giving values, there are fewer and fewer
  const placeholders: { [name: string]: readonly string[] } = {};
  let { rules, refused } = parseRuleFiles(files);
  while (refused.length > 0) {
    const lacking = new Set(refused.map(({ construct }) => /^%([^%]+)% \(\|expand\)$/.exec(construct)![1]!));
    for (const name of lacking) {
      expect(placeholders).not.toHaveProperty([name]);
      placeholders[name] = valuesOf(name);
    }
    ({ rules, refused } = parseRuleFiles(files, { placeholders }));
  }
  const names = Object.keys(placeholders);
  expect(names.length).toBeGreaterThan(15);
  const engine = compileRules(rules, { pipelines: shippedPipelines() });
  expect(engine.refused).toEqual([]);
  expect(engine.rules).toHaveLength(25);
  for (const [number, { title }] of engine.rules.entries()) {
    const condition = JSON.stringify(engine.conditionOf(number));
    expect([title, names.filter((name) => condition.includes(`%${name}%`))]).toEqual([title, []]);
    expect([title, names.some((name) => valuesOf(name).every((value) => condition.includes(value)))]).toEqual([title, true]);
    const found = [...synthesise(engine.conditionOf(number))].some((fields) => engine.test(number, { fields, original: "" }));
    expect([title, found]).toEqual([title, true]);
  }
});
