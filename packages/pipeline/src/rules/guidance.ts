/** What a rule or detector tells whoever reads its alerts. Knows no alert and no verdict. */
import type { DetectorSpec } from "@vedette/kit";
import type { RuleGuidance } from "@vedette/model";
import type { SigmaCorrelation, SigmaRule } from "@vedette/sigma";

/** Rules come from anywhere: what is no text is left out, and a page has an end. */
const most = 20;

export function guidanceOfRule(rule: SigmaRule | SigmaCorrelation): RuleGuidance {
  const { description, status = "", falsepositives, references } = rule;
  return {
    description,
    status,
    response: responseOf(rule),
    falsepositives: falsepositives.slice(0, most),
    references: references.slice(0, most),
  };
}

/** `vedette.response`: a list of steps, or one. */
export function responseOf({ vedette }: SigmaRule | SigmaCorrelation): readonly string[] {
  const { response } = vedette ?? {};
  const steps = Array.isArray(response) ? (response as readonly unknown[]) : [response];
  return steps.filter((step) => typeof step === "string").slice(0, most);
}

export function guidanceOfDetector({ summary, description = "", stability, response = [] }: DetectorSpec): RuleGuidance {
  return {
    description: [summary, description].filter((text) => text !== "").join(" "),
    status: stability,
    response,
    falsepositives: [],
    references: [],
  };
}

/** Nobody says anything about it any more: its rule was taken out. */
export const noGuidance: RuleGuidance = { description: "", status: "", response: [], falsepositives: [], references: [] };
