export { carriedEvents, carriedPlace, fieldsOfClaim } from "./claims.ts";
export { type CorrelationStage, matchedBy, prepareCorrelations } from "./correlations.ts";
export * from "./evidence.ts";
export * from "./registry.ts";
export * from "./stage.ts";
export { inputOf, mergeTallies, type Tallied } from "./tally.ts";
