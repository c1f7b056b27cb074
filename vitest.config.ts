import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "tests/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.integration.test.ts", "**/*.long.test.ts"],
    execArgv: ["--conditions=source"],
    // a Vedette that a test starts from its sources compiles them once, not each time: a third of what its start costs
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("tests/.tmp/compiled", import.meta.url)) },
    // watchdogs against tests that hang, not limits of speed: a loaded machine may take many times longer than a quiet one
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
