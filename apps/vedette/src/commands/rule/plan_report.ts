/** A plan of a change of rules as people read it, and the question that goes with one that covers less. */
import { createInterface } from "node:readline/promises";
import type { RulePlan } from "@vedette/client";
import { bold, paint, safe } from "../../output.ts";

/** Lines of one kind that are worth a screen; all of them are in --json. */
const shown = 40;

const count = (n: number) => n.toLocaleString("en");
const out = (text = "") => process.stdout.write(`${text}\n`);

export function printPlan(plan: RulePlan): void {
  const { differences, refused, notes, coverage, gate } = plan;
  const of = (what: string) => differences.filter((one) => one.what === what);
  list(of("removed"), "removed", ({ level, title, file }) => `- ${paint(level, level)} ${safe(title)}  ${safe(file)}`);
  list(
    of("changed"),
    "changed",
    ({ level, title, file, details }) =>
      `~ ${paint(level, level)} ${safe(title)}  ${safe(file)}${details.map((line) => `\n    ${safe(line)}`).join("")}`,
  );
  list(
    of("added"),
    "added",
    ({ level, title, state, file }) => `+ ${paint(level, level)} ${safe(title)}${state === "enabled" ? "" : ` (${state})`}  ${safe(file)}`,
  );
  const rewritten = of("rewritten").length;
  if (rewritten > 0) out(`${rewritten} rules in other words with the same meaning`);
  list(refused, "refused", (line) => `! ${safe(line)}`);
  list(notes, "not used", (line) => `  ${safe(line)}`);
  list(
    gate.estimates.filter(({ held, matched }) => held !== undefined || matched > 0),
    `with matches in a backtest over ${count(gate.events)} stored events of ${(gate.span_s / 3_600).toFixed(1)} h`,
    ({ title, matched, alerts_per_day, at_least, cost_us, held }) =>
      held === undefined
        ? `  ${safe(title)}: ${at_least ? "at least" : "about"} ${count(alerts_per_day)} alerts a day (${count(matched)} matches in all), ${cost_us} µs an event`
        : `  HELD BACK  ${safe(title)}: ${safe(held)}`,
  );
  const [before, after] = coverage.enabled;
  const techniques = [...coverage.gained.map((t) => `+${t}`), ...coverage.lost.map((t) => `-${t}`)].join(" ");
  out(`enabled rules ${before} → ${after}${techniques === "" ? "" : `; ATT&CK ${techniques}`}`);
  if (differences.length === 0) out("nothing changes");
}

function list<T>(items: readonly T[], title: string, line: (item: T) => string): void {
  if (items.length === 0) return;
  out(bold(`${items.length} ${title}`));
  for (const item of items.slice(0, shown)) out(line(item));
  if (items.length > shown) out(`  and ${items.length - shown} more (--json lists all)`);
}

/** False where nobody is there to answer. */
export async function agrees(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
