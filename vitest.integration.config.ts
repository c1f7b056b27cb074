import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

const { test, ...rest } = base;
export default mergeConfig(
  rest,
  defineConfig({
    test: {
      ...test,
      include: ["packages/*/src/**/*.integration.test.ts", "apps/vedette/src/**/*.integration.test.ts", "tests/**/*.integration.test.ts"],
      exclude: ["**/node_modules/**", "**/dist/**"],
      testTimeout: 300_000,
    },
  }),
);
