export type { FieldValue, Scalar } from "@vedette/condition";
export * from "./backtest.ts";
export * from "./canary.ts";
export * from "./event.ts";
export * from "./finding.ts";
export * from "./rule.ts";
export * from "./sample.ts";
export * from "./span.ts";
export * from "./table.ts";
