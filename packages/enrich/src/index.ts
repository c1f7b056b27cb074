/** Events to events: what is known besides is added, and what the user's pipelines say is done to them. */

export { ancestryThen, type ProcessThen } from "./as_of/ancestry.ts";
export { type NameThen, namesThen } from "./as_of/names.ts";
export type { Records } from "./as_of/records.ts";
export { csvRows } from "./csv.ts";
export { type CaseResult, runPipelineCases } from "./pipelines/cases.ts";
export { compileEventPipelines, type EventPipelines } from "./pipelines/compile.ts";
export { type PipelineDocument, type PipelineFile, parseEventPipeline } from "./pipelines/document.ts";
export type { Draft } from "./pipelines/draft.ts";
export { Pseudonyms, pseudonymKey } from "./pipelines/pseudonyms.ts";
export { stepSpecs } from "./pipelines/registry.ts";
export { transforms } from "./pipelines/transforms.ts";
export { enrichers } from "./registry.ts";
export { type EnrichSettings, type EnrichStage, prepareEnrichers } from "./stage.ts";
