export { z } from "zod";
export { Chance } from "./chance.ts";
export * from "./component.ts";
export { type JobOfGroup, jobOfGroup } from "./control_group.ts";
export { type Counters, type Draw, type Drawn, inProcessCounters, type Rate } from "./counters.ts";
export { csvCell } from "./csv.ts";
export * from "./discover.ts";
export * from "./enricher.ts";
export * from "./errors.ts";
export * from "./fields.ts";
export * from "./files.ts";
export * from "./ids.ts";
export * from "./in_turn.ts";
export {
  collectFromThreads,
  defineCounter,
  defineGauge,
  defineHistogram,
  durations,
  type MetricFamily,
  type MetricReading,
  readInstruments,
  SeriesTable,
} from "./instruments.ts";
export * from "./outside.ts";
export * from "./ports.ts";
export * from "./process_lock.ts";
export { collectWhenQuiet } from "./quiet.ts";
export * from "./rate_limit.ts";
export * from "./reference.ts";
export * from "./release.ts";
export * from "./sealer.ts";
export * from "./sink.ts";
export * from "./time.ts";
export { newToken, tokenHash } from "./tokens.ts";
export { jsonText, visible } from "./visible.ts";
