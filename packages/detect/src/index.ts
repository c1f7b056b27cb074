export { carriedEvents, carriedPlace, fieldsOfClaim } from "./claims.ts";
export { type CorrelationStage, matchedBy, prepareCorrelations } from "./correlations.ts";
export { entitiesOf, evidenceOf } from "./evidence.ts";
export { detectorOf, detectorReferences, detectors } from "./registry.ts";
export { type DetectStage, type PreparedDetector, prepareDetector, prepareDetectors, stageOf } from "./stage.ts";
export { inputOf, mergeTallies, type Tallied } from "./tally.ts";
