export { diskFiles, type Files } from "./files.ts";
export type { KeySources } from "./sources.ts";
export * from "./vault.ts";
