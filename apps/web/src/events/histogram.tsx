/** Events over time as bars; dragging over them chooses that time. */
import { useCallback, useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import type { Histogram as Counts } from "../api/types.ts";
import { formatCompact, formatCount } from "../format/number.ts";
import { formatDuration, formatTime } from "../format/time.ts";
import { type Palette, Plot, time_ticks, zoneDate } from "../shell/plot.tsx";
import { useZone } from "../shell/zone.tsx";

const height = 120;
/** A drag shorter than this is a click. */
const drag_px = 4;

/** Fills the buckets the server left out with zero, so that bars stand where they belong. Exported for its test. */
export function fillBuckets(counts: Counts): [number[], number[]] {
  const width = Math.max(counts.width_ms, 1);
  const known = new Map(counts.buckets.map((bucket) => [Date.parse(bucket.start), bucket.count]));
  const first = Math.min(Date.parse(counts.from), ...known.keys());
  const last = Math.max(Date.parse(counts.to), ...known.keys());
  // Buckets start on their own grid, which the first known one tells.
  const grid = known.keys().next().value ?? first;
  const begin = grid - Math.ceil((grid - first) / width) * width;
  const times: number[] = [];
  const values: number[] = [];
  for (let at = begin; at < last && times.length < 2_000; at += width) {
    times.push(at / 1_000);
    values.push(known.get(at) ?? 0);
  }
  return [times, values];
}

export function Histogram({ counts, onZoom }: { readonly counts: Counts; readonly onZoom: (from_ms: number, to_ms: number) => void }) {
  const zone = useZone();
  const zoom = useRef(onZoom);
  useEffect(() => {
    zoom.current = onZoom;
  });
  const width_s = counts.width_ms / 1_000;
  const build = useCallback(
    (palette: Palette, size: { width: number; height: number }): uPlot.Options => {
      const axis = { stroke: palette.axis, grid: { show: false }, ticks: { stroke: palette.grid, width: 1 } };
      return {
        ...size,
        tzDate: zoneDate(zone === "utc"),
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        scales: {
          x: { time: true, range: (_, min, max) => [min, max + width_s] },
          y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
        },
        axes: [
          { ...axis, values: time_ticks, space: 90 },
          {
            ...axis,
            grid: { stroke: palette.grid, width: 1 },
            size: 48,
            space: 22,
            values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? formatCompact(tick) : "")),
          },
        ],
        series: [
          {},
          {
            label: "events",
            stroke: palette.line,
            fill: palette.fill,
            width: 1,
            paths: uPlot.paths.bars!({ size: [0.86, 40], align: 1 }),
            points: { show: false },
          },
        ],
        hooks: {
          setSelect: [
            (plot) => {
              if (plot.select.width < drag_px) return;
              const from = plot.posToVal(plot.select.left, "x");
              const to = plot.posToVal(plot.select.left + plot.select.width, "x");
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              zoom.current(Math.round(from * 1_000), Math.round(to * 1_000));
            },
          ],
        },
      };
    },
    [zone, width_s],
  );
  const data = useMemo<uPlot.AlignedData>(() => fillBuckets(counts), [counts]);
  const label = `${formatCount(counts.total)} events from ${formatTime(counts.from, zone, { digits: 0 })} to ${formatTime(counts.to, zone, { digits: 0 })}, in bars of ${formatDuration(counts.width_ms)}`;
  return <Plot build={build} data={data} height={height} label={label} />;
}
