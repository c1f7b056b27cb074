export * from "./manifest.ts";
export * from "./read.ts";
export * from "./repository.ts";
export * from "./restore.ts";
export * from "./retention.ts";
export * from "./write.ts";
