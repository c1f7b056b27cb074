import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

const { test, ...rest } = base;
export default mergeConfig(
  rest,
  defineConfig({
    test: {
      ...test,
      include: ["packages/*/src/**/*.long.test.ts", "apps/vedette/src/**/*.long.test.ts", "tests/**/*.long.test.ts"],
      exclude: ["**/node_modules/**", "**/dist/**"],
      testTimeout: 3_600_000,
    },
  }),
);
