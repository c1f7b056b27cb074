/** How long offline commands of the built command line take from start to end. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { costOf, percentile, print } from "../harness.ts";
import { programArguments } from "../program.ts";

/** The contract's limit for any offline command of the built CLI. */
const goal_ms = 250;
const runs = 10;

export async function bench(): Promise<void> {
  const rules = fileURLToPath(new URL("../../../content/rules", import.meta.url));
  const rule = readdirSync(rules, { recursive: true })
    .map(String)
    .sort()
    .find((f) => f.endsWith(".yml"))!;
  const program = programArguments();
  const commands = {
    node: ["-e", "0"],
    version: [...program, "--version"],
    config_schema: [...program, "config", "schema"],
    rule_lint: [...program, "rule", "lint", join(rules, rule)],
  };
  const details: { [name: string]: number | string } = { runs };
  let worst = 0;
  for (const [name, command] of Object.entries(commands)) {
    const times: number[] = [];
    for (let n = 0; n < runs; n++) {
      const { wall_s } = await costOf(() => {
        const { status, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
        if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}: ${stderr}`);
      });
      times.push(wall_s * 1_000);
    }
    const median = percentile(times, 50);
    details[`${name}_median_ms`] = median;
    details[`${name}_max_ms`] = percentile(times, 100);
    // the bare start of Node is for comparison only
    if (name !== "node") worst = Math.max(worst, median);
  }
  print({ name: "cli", value: worst, unit: "ms, median of the slowest command", baseline: goal_ms, details });
}
