export * from "./memory.ts";
export * from "./explain.ts";
export * from "./memory.ts";
export * from "./permission.ts";
export * from "./policy.ts";
export * from "./principal.ts";
export * from "./tokens.ts";
