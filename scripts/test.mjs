/** `npm test`: installs, then lint, types, layering and every test that needs no server; ends with `N passed, N failed`. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
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
// each takes one core: two at a time
const others = async () => {
  await check("Types of the console", node(), [tsc, "-p", "apps/web"]);
  await check("Console", "npm", ["run", "build", "-w", "@vedette/web"]);
  await check("Lint", "biome", ["check", "--error-on-warnings", "."]);
  await check("Layers", "depcruise", ["--config", ".dependency-cruiser.cjs", "packages", "apps"]);
  await check("Unused code", "knip", []);
  await check("Rules", node(), [join(root, "apps/vedette/bin/vedette.mjs"), "rule", "test"]);
};
await Promise.all([check("Types of tests", node(), [tsc, "-p", "tsconfig.tests.json"]), others()]);

/** One vitest run; @returns its report, undefined when it ended without one */
async function vitest(config, files) {
  const folder = mkdtempSync(join(tmpdir(), "vedette-test-"));
  const report = join(folder, "report.json");
  await run(
    "vitest",
    ["run", "--config", config, "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`, ...files],
    process.stdout.isTTY ? {} : { environment: { NO_COLOR: "1" } },
  );
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch (e) {
    process.stderr.write(`${config}: no report: ${e.message}\n`);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What to look at when the suite takes too long. */
function tellSlowest(report) {
  const files = report.testResults.map(({ name, startTime, endTime }) => ({ name, s: (endTime - startTime) / 1_000 }));
  const slowest = files.sort((a, b) => b.s - a.s).slice(0, 8);
  process.stderr.write(`Slowest files: ${slowest.map(({ name, s }) => `${relative(root, name)} ${s.toFixed(0)} s`).join(", ")}\n`);
}

const failing = (report) => report.testResults.filter(({ status }) => status !== "passed");
const add = (report, sign) => {
  count.passed += sign * report.numPassedTests;
  count.failed += sign * (report.numFailedTests + (report.numFailedTests === 0 && !report.success ? 1 : 0));
  count.skipped += sign * (report.numPendingTests + (report.numTodoTests ?? 0));
};
const tally = (files) => {
  const of = (status) => files.flatMap((file) => file.assertionResults).filter((one) => status.includes(one.status)).length;
  return {
    numPassedTests: of(["passed"]),
    numFailedTests: of(["failed"]),
    numPendingTests: of(["pending", "skipped"]),
    numTodoTests: of(["todo"]),
    success: false,
  };
};

/**
 * Runs one vitest configuration and adds its counts; a run that yields no report counts as a failure. In CI up to three files that failed
 * are run once more from their beginning, alone: what passes then is counted as passed and named, because it has to be mended all the same.
 */
async function suite(config) {
  const first = await vitest(config, []);
  if (!first) {
    count.failed++;
    return;
  }
  add(first, 1);
  tellSlowest(first);
  const failed = failing(first);
  if (!process.env.CI || failed.length === 0 || failed.length > 3) return;
  const again = await vitest(
    config,
    failed.map(({ name }) => name),
  );
  if (!again) return;
  add(tally(failed), -1);
  add(again, 1);
  const still = new Set(failing(again).map(({ name }) => name));
  for (const { name } of failed)
    if (!still.has(name)) process.stdout.write(`UNSTABLE: ${name} failed, and passed when it was run again alone\n`);
}
await suite("vitest.config.ts");
if (process.argv.includes("--integration")) {
  await check("Real servers", join(root, "scripts/services"), ["up"]);
  await suite("vitest.integration.config.ts");
  await step("Real servers down", join(root, "scripts/services"), ["down"]);
}

process.stdout.write(`\n${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ""}\n`);
process.exit(count.failed > 0 ? 1 : 0);
