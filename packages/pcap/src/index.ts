export * from "./capture.ts";
export { isCapture } from "./container.ts";
export type { Row } from "./row.ts";
export { miningMethods } from "./stratum.ts";
