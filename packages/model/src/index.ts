export type { FieldValue, Scalar } from "@vedette/condition";
export * from "./event.ts";
export * from "./finding.ts";
export * from "./rule.ts";
