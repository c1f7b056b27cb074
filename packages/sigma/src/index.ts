export type { Evidence } from "./explain.ts";
export { fieldsOf, mapFields } from "./fields.ts";
export type { RuleCost } from "./meter.ts";
export { necessaryOf } from "./necessary.ts";
export { type Pipeline, parsePipeline } from "./pipeline.ts";
export { formatRefusal, type Refusal } from "./refusal.ts";
export {
  type Level,
  type Logsource,
  type NamedSelection,
  type ParsedRules,
  type ParseOptions,
  parseRules,
  type SigmaRule,
  type Status,
  type VedetteBlock,
} from "./rule.ts";
export { RuleCache } from "./rulecache.ts";
export { type CompileOptions, compileRules, type RuleCount, type RuleSet } from "./ruleset.ts";
export { type Clause, firstFailure } from "./trace.ts";
export type { Placeholders } from "./transform.ts";
