/** Events a second over the last five minutes, from the live samples. */
import { useCallback, useMemo } from "react";
import type uPlot from "uplot";
import { type Sample, samples_kept } from "../api/live.ts";
import { formatCompact, formatRate } from "../format/number.ts";
import { type Palette, Plot, time_ticks, zoneDate } from "../shell/plot.tsx";
import { useZone } from "../shell/zone.tsx";

const height = 228;
/** The chart begins this narrow and grows to five minutes as samples come. */
const span_min_s = 60;

/** From the samples, not from the range that the chart proposes: of a single one that lies months away. Without any it is the last minute. */
function window(at: readonly number[]): [number, number] {
  const end = at.at(-1) ?? Date.now() / 1000;
  return [end - Math.min(samples_kept, Math.max(span_min_s, end - (at[0] ?? end))), end];
}

function options(palette: Palette, size: { width: number; height: number }, utc: boolean): uPlot.Options {
  const axis = { stroke: palette.axis, grid: { stroke: palette.grid, width: 1 }, ticks: { stroke: palette.grid, width: 1 } };
  return {
    ...size,
    tzDate: zoneDate(utc),
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (plot) => window(plot.data[0] as readonly number[]) },
      y: { range: (_, __, max) => [0, Math.max(10, max * 1.15)] },
    },
    axes: [
      { ...axis, values: time_ticks, space: 90 },
      { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => formatCompact(tick)) },
    ],
    series: [{}, { label: "events/s", stroke: palette.line, fill: palette.fill, width: 1.75, points: { show: false } }],
  };
}

export function RateChart({ samples }: { readonly samples: readonly Sample[] }) {
  const utc = useZone() === "utc";
  const build = useCallback((palette: Palette, size: { width: number; height: number }) => options(palette, size, utc), [utc]);
  const data = useMemo<uPlot.AlignedData>(() => [samples.map((sample) => sample.at), samples.map((sample) => sample.rate)], [samples]);
  const rates = samples.map((sample) => sample.rate);
  const label =
    rates.length === 0
      ? "Events a second: no sample yet"
      : `Events a second over the last 5 minutes: now ${formatRate(rates.at(-1)!)}, at most ${formatRate(Math.max(...rates))}`;
  return <Plot build={build} data={data} height={height} label={label} />;
}
