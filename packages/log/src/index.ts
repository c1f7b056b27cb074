export * from "./disk.ts";
export { type HeldLog, type HeldSegment, holdLog } from "./hold.ts";
export { inspectKafkaLog, type KafkaLogOptions, openKafkaLogHere } from "./kafka/log.ts";
export * from "./log.ts";
export { memoryLog } from "./memory.ts";
export { openLog } from "./open.ts";
export { type LogEncryption, type LogKey, newLogKey } from "./seal.ts";
export { openLogHere, type SegmentLogOptions, type World } from "./segments.ts";
