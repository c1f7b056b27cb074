/** Rule files taken together, as an engine would take them: rules with their filters, correlations linked, refusals. Knows no events. */
import { detectorReferences } from "@vedette/detect";
import type { ProgramFile } from "@vedette/pipeline";
import {
  type Correlation,
  type CorrelationSet,
  compileRules,
  type Header,
  linkCorrelations,
  parseRuleFiles,
  type Refusal,
  type RuleSet,
  type SigmaCorrelation,
  type SigmaRule,
} from "@vedette/sigma";
import { isDetectorCases, type Site } from "../../config/site.ts";
import { pipelines } from "./files.ts";
import { Locator } from "./locate.ts";

export class Collection {
  readonly rules: readonly SigmaRule[];
  readonly correlations: readonly SigmaCorrelation[];
  readonly set: RuleSet;
  readonly linked: CorrelationSet;
  readonly refused: readonly Refusal[];
  readonly files: readonly ProgramFile[];
  readonly site: Site;
  readonly #locators = new Map<string, Locator>();
  readonly #numbers = new Map<string, number>();

  /** @param given rule files; those with cases of detectors are left out */
  constructor(given: readonly ProgramFile[], site: Site = { placeholders: {}, detectors: {} }) {
    const { placeholders, detectors } = site;
    const files = given.filter((file) => !isDetectorCases(file));
    const { rules, correlations, filters, refused } = parseRuleFiles(files, { placeholders });
    this.rules = rules;
    this.correlations = correlations;
    this.set = compileRules(rules, { pipelines: pipelines(), filters });
    this.linked = linkCorrelations(correlations, rules, { pipelines: pipelines(), filters, detectors: detectorReferences(detectors) });
    this.refused = [...refused, ...this.set.refused, ...this.linked.refused];
    this.files = files;
    this.site = site;
    for (const [i, rule] of this.set.rules.entries()) this.#numbers.set(placeOf(rule), i);
  }

  locator(file: string): Locator {
    let locator = this.#locators.get(file);
    if (locator === undefined) {
      locator = new Locator(this.files.find((one) => one.file === file)?.text ?? "");
      this.#locators.set(file, locator);
    }
    return locator;
  }

  /** The rule's number in `set`; undefined where it was refused. Filters make rules anew, so it goes by where a rule stands. */
  numberOf(rule: SigmaRule): number | undefined {
    return this.#numbers.get(placeOf(rule));
  }

  /** The correlation ready to count; undefined where it was refused. */
  linkedOf(correlation: SigmaCorrelation): Correlation | undefined {
    return this.linked.correlations.find(({ rule }) => placeOf(rule) === placeOf(correlation));
  }

  /** Whether a document is in force: neither refused nor named twice. */
  holds(document: SigmaRule | SigmaCorrelation): boolean {
    return "condition" in document ? this.numberOf(document) !== undefined : this.linkedOf(document) !== undefined;
  }
}

const placeOf = ({ file, line }: Header): string => `${file}\0${line}`;
