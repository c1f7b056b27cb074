/** `vedette sizing`: what a cluster sends and what it takes to keep up, with every assumption. Computes nothing itself. */
import { ConfigError } from "@vedette/kit";
import { bold } from "../output.ts";
import { assumptions, type Site, type Sizing, sizingOf } from "../sizing/model.ts";

interface Options {
  readonly nodes: string;
  readonly gbps: string;
  readonly days: string;
  readonly eventsPerCpuSecond?: string;
  readonly json?: boolean;
}

export function sizing(options: Options): void {
  const site: Site = {
    nodes: number("--nodes", options.nodes, 1, 1_000_000),
    gbps: number("--gbps", options.gbps, 0, 100_000),
    days: number("--days", options.days, 1, 3_650),
    ...(options.eventsPerCpuSecond === undefined
      ? {}
      : { eventsPerCpuSecond: number("--events-per-cpu-second", options.eventsPerCpuSecond, 1, 10_000_000) }),
  };
  const result = sizingOf(site);
  if (options.json) process.stdout.write(`${JSON.stringify({ site, ...result, assumptions }, null, 2)}\n`);
  else process.stdout.write(report(site, result));
}

function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw new ConfigError(
    "config_invalid",
    `${option} ${text}: expected a number from ${least} to ${most}, e.g. ${option} ${Math.min(400, most)}`,
  );
}

const round = (value: number): string => {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return Number(value.toFixed(digits)).toLocaleString("en");
};

function report({ nodes, gbps, days }: Site, s: Sizing): string {
  const { host, zeek, total } = s.eventsPerSecond;
  const rows: readonly (readonly [string, string])[] = [
    ["events a second", `${round(total)} (hosts ${round(host)}, Zeek ${round(zeek)})`],
    ["samples a second", round(s.samplesPerSecond)],
    ["processors", `${s.cores} cores (${round(s.coresUsed)} used)`],
    ["memory", `${round(s.memoryGb)} GB`],
    ["disk", `${round(s.diskTb)} TB for ${round(days)} days (${round(s.storedGbPerDay)} GB a day, ${round(s.rawGbPerDay)} as sent)`],
    ["network", `${round(s.networkMbps)} Mbit/s, uncompressed`],
    [
      "burst",
      `${round(s.burst.eventsPerSecond)} events a second when a job starts on all nodes: ${round(s.burst.spoolGb)} GB to spool, caught up ${round(s.burst.drainSeconds)} s later`,
    ],
  ];
  const limits = s.limits.map((l, i) => `  ${i === 0 ? "first" : "then "}  ${l.what}, at ${round(l.bears)} × this load; ${l.remedy}`);
  const told = Object.values(assumptions).map((a) => `  ${round(a.value)} ${a.unit} (${a.from})`);
  return [
    bold(`${round(nodes)} nodes, ${round(gbps)} Gbit/s`),
    ...rows.map(([name, text]) => `  ${name.padEnd(18)}${text}`),
    bold("What breaks first"),
    ...limits,
    bold("Assumed"),
    ...told,
    "",
  ].join("\n");
}
