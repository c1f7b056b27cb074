/** One picture of a running server in so many columns and lines of text. Asks nothing; what came from a log is shown as text only. */
import { bold, paint, safe } from "../output.ts";
import type { Sample } from "./sample.ts";

export interface Screen {
  readonly columns: number;
  readonly lines: number;
}

interface Column<T> {
  readonly title: string;
  readonly of: (row: T) => string;
  /** Figures stand to the right, and are never cut. */
  readonly figure?: true;
}

/** Rows of each table; what is left of the screen is shared in this order. */
const fewest = 3;
const gap = "  ";

/** @param before an earlier sample: costs and rates are those of the time between; since the start without one */
export function picture(now: Sample, before: Sample | undefined, screen: Screen): string {
  const { columns, lines } = screen;
  const head = headOf(now, before).map((line) => cut(line, columns));
  const tables = [sourcesOf(now), rulesOf(now, before), detectorsOf(now, before), sinksOf(now), alertsOf(now)].filter(
    (one) => one.rows > 0,
  );
  const room = Math.max(tables.length * fewest, lines - head.length - tables.length * 2);
  const each = Math.max(fewest, Math.floor(room / Math.max(1, tables.length)));
  // what a short table leaves, the next may have
  let spare = 0;
  const body = tables.flatMap((one, i) => {
    const most = i === tables.length - 1 ? each + spare : Math.min(one.rows, each + spare);
    const shown = Math.min(one.rows, most);
    spare += each - shown;
    return ["", ...one.draw(shown, columns)];
  });
  return [...head, ...body].slice(0, Math.max(lines, head.length)).join("\n");
}

function headOf(now: Sample, before: Sample | undefined): string[] {
  const { process, disk_bytes: disk } = now;
  const seconds = since(now, before);
  const cpu = (process.cpu_seconds - (before?.process.cpu_seconds ?? 0)) / seconds;
  const open = Object.entries(now.open_alerts).filter(([, n]) => n > 0);
  const alerts = open.length === 0 ? "none open" : open.map(([severity, n]) => paint(severity, `${n} ${severity}`)).join(" ");
  return [
    `${bold("Vedette")} ${now.version} ${safe(now.server)}  up ${age(now.started, now.at)}  ${now.ready ? "ready" : bold("NOT READY")}`,
    `${now.rate.toFixed(0)} events/s  ${count(now.events)} stored  ${duration(now.lag_ms / 1_000)} behind  alerts: ${alerts}`,
    `cpu ${(cpu * 100).toFixed(0)} %  memory ${bytes(process.resident_bytes)}  heap ${bytes(process.heap_bytes)}  held up ${duration(process.loop_seconds)}  log ${bytes(disk["log_bytes"])}  events ${bytes((disk["open_bytes"] ?? 0) + (disk["sealed_bytes"] ?? 0))}`,
    ...now.problems.map(({ code, message }) => bold(`! ${safe(code)}: ${safe(message)}`)),
  ];
}

interface Table {
  readonly rows: number;
  draw(rows: number, columns: number): string[];
}

function table<T>(rows: readonly T[], columns: readonly Column<T>[]): Table {
  return {
    rows: rows.length,
    draw(most, width) {
      const cells = rows.slice(0, most).map((row) => columns.map(({ of }) => of(row)));
      const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((one) => one[i]!.length)));
      // names give way, the longest first; figures do not
      for (let over = widths.reduce((a, b) => a + b + gap.length, -gap.length) - width; over > 0; over--) {
        const names = widths.map((w, i) => (columns[i]!.figure ? 0 : w));
        const widest = names.indexOf(Math.max(...names));
        if (widths[widest]! <= 4) break;
        widths[widest]!--;
      }
      const line = (one: readonly string[]) =>
        cut(one.map((text, i) => (columns[i]!.figure ? text.padStart(widths[i]!) : fit(text, widths[i]!))).join(gap), width).trimEnd();
      return [bold(line(columns.map(({ title }) => title))), ...cells.map(line)];
    },
  };
}

const sourcesOf = ({ sources }: Sample): Table =>
  table(
    [...sources].sort((a, b) => b.rate - a.rate || b.in - a.in),
    [
      { title: "SOURCE", of: ({ name }) => safe(name) },
      { title: "TYPE", of: ({ type }) => safe(type) },
      { title: "STATE", of: ({ state }) => state },
      { title: "PER S", of: ({ rate }) => rate.toFixed(1), figure: true },
      { title: "IN", of: (one) => count(one.in), figure: true },
      { title: "DEAD", of: ({ dead }) => count(dead), figure: true },
      { title: "PENDING", of: ({ pending }) => count(pending), figure: true },
    ],
  );

function rulesOf(now: Sample, before: Sample | undefined): Table {
  const earlier = new Map(before?.rules.map((one) => [one.id, one]));
  const seconds = since(now, before);
  const rows = now.rules.map(({ id, title, cost_ms, matched }) => {
    const one = earlier.get(id);
    return { title, ms: (cost_ms - (one?.cost_ms ?? 0)) / seconds, cost_ms, matched, fresh: matched - (one?.matched ?? 0) };
  });
  return table(
    rows.filter(({ cost_ms, matched }) => cost_ms > 0 || matched > 0).sort((a, b) => b.ms - a.ms || b.cost_ms - a.cost_ms),
    [
      { title: "RULE", of: ({ title }) => safe(title) },
      { title: "MS/S", of: ({ ms }) => ms.toFixed(2), figure: true },
      { title: "MS", of: ({ cost_ms }) => cost_ms.toFixed(0), figure: true },
      { title: "MATCHED", of: ({ matched }) => count(matched), figure: true },
    ],
  );
}

function detectorsOf(now: Sample, before: Sample | undefined): Table {
  const earlier = new Map(before?.detectors.map((one) => [one.name, one]));
  const seconds = since(now, before);
  const titles = new Map(now.rules.map(({ id, title }) => [id, title]));
  const rows = now.detectors.map((one) => ({
    ...one,
    rate: (one.observations - (earlier.get(one.name)?.observations ?? 0)) / seconds,
  }));
  return table(
    rows.filter(({ observations }) => observations > 0).sort((a, b) => b.rate - a.rate || b.observations - a.observations),
    [
      { title: "DETECTOR", of: ({ name }) => safe(titles.get(name) ?? name) },
      { title: "PER S", of: ({ rate }) => rate.toFixed(1), figure: true },
      { title: "KEYS", of: ({ keys }) => count(keys), figure: true },
      { title: "LATE", of: ({ late }) => count(late), figure: true },
      { title: "SKIPPED", of: ({ skipped }) => count(skipped), figure: true },
    ],
  );
}

const sinksOf = ({ sinks }: Sample): Table =>
  table(sinks, [
    { title: "SINK", of: ({ name }) => safe(name) },
    { title: "STATE", of: ({ state }) => state },
    { title: "PENDING", of: ({ pending }) => count(pending), figure: true },
    { title: "WAITS", of: ({ lag_s }) => duration(lag_s), figure: true },
  ]);

const alertsOf = ({ alerts }: Sample): Table =>
  table(alerts, [
    { title: "TIME", of: ({ updated }) => updated.slice(11, 19) },
    { title: "SEVERITY", of: ({ severity }) => severity },
    { title: "ALERT", of: ({ title, summary }) => `${safe(title)}: ${safe(summary)}` },
    { title: "COUNT", of: (one) => count(one.count), figure: true },
  ]);

/** Seconds between two samples, or since the start. */
function since(now: Sample, before: Sample | undefined): number {
  return Math.max(0.001, (Date.parse(now.at) - Date.parse(before?.at ?? now.started)) / 1_000);
}

const fit = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width));

/** To so many columns, sequences of colour not counted. */
function cut(text: string, columns: number): string {
  let width = 0;
  let out = "";
  for (const [part] of text.matchAll(/\u001b\[[0-9;]*m|[^\u001b]/gu)) {
    if (part.startsWith("\u001b")) out += part;
    else if (width++ < columns) out += part;
  }
  return out;
}

function count(n: number): string {
  if (n < 10_000) return String(Math.round(n));
  if (n < 10_000_000) return `${(n / 1e3).toFixed(0)}k`;
  return `${(n / 1e6).toFixed(0)}M`;
}

function bytes(n = 0): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [n, 0];
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  return seconds < 7_200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3_600).toFixed(0)} h`;
}

const age = (from: string, to: string): string => duration((Date.parse(to) - Date.parse(from)) / 1_000);
