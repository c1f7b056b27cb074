/** Events to events: what is known besides is added, and what the user's pipelines say is done to them. */
export { enrichers } from "./registry.ts";
export { type EnrichSettings, type EnrichStage, prepareEnrichers } from "./stage.ts";
