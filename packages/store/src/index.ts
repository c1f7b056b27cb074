export { encodeEvents } from "./events/encode.ts";
export { writeTable } from "./events/parquet/table.ts";
export { eventsOfPage, rowsOfEvents } from "./events/scan.ts";
export { bareEvents, shownEvents } from "./events/shown.ts";
export { openStore, type StoreOptions } from "./open.ts";
export { seriesFields } from "./series/fields.ts";
export { maxSampleAhead, SampleWriter } from "./series/samples.ts";
export * from "./series.ts";
export * from "./store.ts";
