/** What every benchmark shares: CPU seconds of the whole process, the machine's name, the one line of result. */
import { cpus, totalmem } from "node:os";

export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is compared with, in the same unit: the goal, or a plain run in the same process. */
  readonly baseline: number;
  readonly details: { readonly [name: string]: number | string };
}

export interface Cost {
  readonly cpu_s: number;
  readonly wall_s: number;
}

/** CPU seconds (all threads, user and system) and wall seconds of what `work` does. */
export async function costOf(work: () => Promise<void> | void): Promise<Cost> {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpu_s: (user + system) / 1e6, wall_s: (performance.now() - wall) / 1_000 };
}

export const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 1_073_741_824)} GiB, Node ${process.versions.node}`;

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? Number.NaN;
}

/** @returns the number after `--name` on the command line */
export function option(name: string): number | undefined {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return undefined;
  const value = Number(process.argv[at + 1]);
  if (!(value > 0)) throw new Error(`--${name} needs a number above 0`);
  return value;
}

/** p50, p95, p99 and the largest, for a result's details. */
export const spread = (values: readonly number[], prefix: string, unit = "ms"): { [name: string]: number } => ({
  [`${prefix}_p50_${unit}`]: percentile(values, 50),
  [`${prefix}_p95_${unit}`]: percentile(values, 95),
  [`${prefix}_p99_${unit}`]: percentile(values, 99),
  [`${prefix}_max_${unit}`]: percentile(values, 100),
});

/** Progress and explanation go to standard error; the result is the last line of standard output. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`);

export function print({ name, value, unit, baseline, details }: Result): void {
  const round = (n: number) => Number(n.toPrecision(4));
  const rounded = Object.fromEntries(Object.entries(details).map(([k, v]) => [k, typeof v === "number" ? round(v) : v]));
  for (const [k, v] of Object.entries(rounded)) say(`  ${k}: ${v}`);
  process.stdout.write(
    `${JSON.stringify({ name, value: round(value), unit, baseline: round(baseline), ratio: round(value / baseline), details: rounded, machine: machine() })}\n`,
  );
}
