export * from "./permission.ts";
export * from "./principal.ts";
