export * from "./driver.ts";
export * from "./refusal.ts";
export * from "./settings.ts";
