export { z } from "zod";
export * from "./component.ts";
export * from "./discover.ts";
export * from "./errors.ts";
export * from "./fields.ts";
export * from "./ids.ts";
export * from "./ports.ts";
export * from "./reference.ts";
export * from "./release.ts";
