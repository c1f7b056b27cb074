/** Rule files taken together, as an engine would take them: rules with their filters, correlations linked, refusals. Knows no events. */
import type { ProgramFile } from "@vedette/pipeline";
import {
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
import { pipelines } from "./files.ts";
import { Locator } from "./locate.ts";

export class Collection {
  readonly rules: readonly SigmaRule[];
  readonly correlations: readonly SigmaCorrelation[];
  readonly set: RuleSet;
  readonly linked: CorrelationSet;
  readonly refused: readonly Refusal[];
  readonly #locators: ReadonlyMap<string, Locator>;
  readonly #numbers = new Map<string, number>();

  constructor(files: readonly ProgramFile[]) {
    const { rules, correlations, filters, refused } = parseRuleFiles(files);
    this.rules = rules;
    this.correlations = correlations;
    this.set = compileRules(rules, { pipelines: pipelines(), filters });
    this.linked = linkCorrelations(correlations, rules, { pipelines: pipelines(), filters });
    this.refused = [...refused, ...this.set.refused, ...this.linked.refused];
    this.#locators = new Map(files.map(({ file, text }) => [file, new Locator(text)]));
    for (const [i, rule] of this.set.rules.entries()) this.#numbers.set(placeOf(rule), i);
  }

  locator(file: string): Locator {
    return this.#locators.get(file)!;
  }

  /** The rule's number in `set`; undefined where it was refused. Filters make rules anew, so it goes by where a rule stands. */
  numberOf(rule: SigmaRule): number | undefined {
    return this.#numbers.get(placeOf(rule));
  }

  /** Whether a document is in force: neither refused nor named twice. */
  holds(document: SigmaRule | SigmaCorrelation): boolean {
    return "condition" in document
      ? this.numberOf(document) !== undefined
      : this.linked.correlations.some(({ rule }) => placeOf(rule) === placeOf(document));
  }
}

const placeOf = ({ file, line }: Header): string => `${file}\0${line}`;
