export { sealerOf } from "./ring.ts";
export type { KeySources } from "./sources.ts";
export * from "./vault.ts";
