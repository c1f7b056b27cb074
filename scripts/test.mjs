/** `npm test`: installs, then lint, types, layering and every test that needs no server; ends with `N passed, N failed`. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate, install, node, root, run, step } from "./steps.mjs";

const installed = await install();
if (installed !== 0) process.exit(installed);

const count = { passed: 0, failed: 0, skipped: 0 };
const check = async (title, command, args) => {
  const code = await step(title, command, args);
  count[code === 0 ? "passed" : "failed"]++;
};
count[(await generate()) === 0 ? "passed" : "failed"]++;
const tsc = join(root, "node_modules/typescript/bin/tsc");
await check("Types and build", node(), [tsc, "-b"]);
await check("Types of tests", node(), [tsc, "-p", "tsconfig.tests.json"]);
await check("Types of the console", node(), [tsc, "-p", "apps/web"]);
await check("Console", "npm", ["run", "build", "-w", "@vedette/web"]);
await check("Lint", "biome", ["check", "--error-on-warnings", "."]);
await check("Layers", "depcruise", ["--config", ".dependency-cruiser.cjs", "packages", "apps"]);
await check("Unused code", "knip", []);
await check("Rules", node(), [join(root, "apps/vedette/bin/vedette.mjs"), "rule", "test"]);

/** Runs one vitest configuration and adds its counts; a run that yields no report counts as a failure. */
async function suite(config) {
  const folder = mkdtempSync(join(tmpdir(), "vedette-test-"));
  const report = join(folder, "report.json");
  await run(
    "vitest",
    ["run", "--config", config, "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`],
    process.stdout.isTTY ? {} : { environment: { NO_COLOR: "1" } },
  );
  try {
    const result = JSON.parse(readFileSync(report, "utf8"));
    count.passed += result.numPassedTests;
    count.failed += result.numFailedTests + (result.numFailedTests === 0 && !result.success ? 1 : 0);
    count.skipped += result.numPendingTests + (result.numTodoTests ?? 0);
  } catch (e) {
    process.stderr.write(`${config}: no report: ${e.message}\n`);
    count.failed++;
  }
  rmSync(folder, { recursive: true, force: true });
}
await suite("vitest.config.ts");
if (process.argv.includes("--integration")) await suite("vitest.integration.config.ts");

process.stdout.write(`\n${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ""}\n`);
process.exit(count.failed > 0 ? 1 : 0);
