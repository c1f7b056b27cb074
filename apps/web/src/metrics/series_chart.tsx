/** Series of one metric over time, a line each; the table below names them and says the figures. */
import { useCallback, useMemo } from "react";
import type uPlot from "uplot";
import type { SeriesPoints } from "../api/data.ts";
import { formatFigure } from "../format/number.ts";
import { type Palette, Plot, time_ticks, zoneDate } from "../shell/plot.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useZone } from "../shell/zone.tsx";
import type { Range } from "../url/range.ts";
import { alignSeries, figuresOf, labelText } from "./series.ts";

const height = 190;
/** Told apart by colour and by dashes; more lines cannot be told apart by either. */
export const lines_shown = 8;
const dashes: readonly number[][] = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

/** A series with few samples is seen by its points. */
const points_shown = 60;

interface Shape {
  readonly utc: boolean;
  readonly count: number;
  /** Seconds; absent: as far as there are samples, and a step to each side. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly step_s: number;
}

function options(palette: Palette, size: { width: number; height: number }, { utc, count, from, to, step_s }: Shape): uPlot.Options {
  const axis = { stroke: palette.axis, grid: { stroke: palette.grid, width: 1 }, ticks: { stroke: palette.grid, width: 1 } };
  return {
    ...size,
    tzDate: zoneDate(utc),
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: true, range: (_, min, max) => [from ?? min - step_s, to ?? max + step_s] } },
    axes: [
      { ...axis, values: time_ticks, space: 90 },
      { ...axis, size: 62, values: (_, ticks) => ticks.map(formatFigure) },
    ],
    series: [
      {},
      ...Array.from({ length: count }, (_, at) => ({
        stroke: palette.lines[at % palette.lines.length]!,
        dash: dashes[Math.floor(at / 2) % dashes.length]!,
        width: 1.6,
        points: { show: (plot: uPlot) => plot.data[0].length <= points_shown, size: 5 },
      })),
    ],
  };
}

export interface SeriesChartProps {
  readonly name: string;
  readonly series: readonly SeriesPoints[];
  readonly step_s: number;
  /** What was asked for; a chart shows also when there was nothing. */
  readonly range: Range;
}

export function SeriesChart({ name, series, step_s, range }: SeriesChartProps) {
  const [from, to] = [range.from, range.to].map((iso) => (iso === undefined ? undefined : Date.parse(iso) / 1_000));
  const utc = useZone() === "utc";
  const shown = useMemo(() => series.slice(0, lines_shown), [series]);
  const count = shown.length;
  const build = useCallback(
    (palette: Palette, size: { width: number; height: number }) => options(palette, size, { utc, count, from, to, step_s }),
    [utc, count, from, to, step_s],
  );
  const data = useMemo(() => alignSeries(shown, step_s) as uPlot.AlignedData, [shown, step_s]);
  return (
    <Plot build={build} data={data} height={height} label={`${name}: ${count} series over time; the table below says their figures`} />
  );
}

export function SeriesTable({ series }: { readonly series: readonly SeriesPoints[] }) {
  return (
    <TableScroll className="series-table">
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col">Source</th>
            {["Last", "Least", "Most"].map((word) => (
              <th key={word} scope="col" className="number">
                {word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {series.map((one, at) => (
            <Row key={`${one.source} ${labelText(one.labels)}`} one={one} at={at} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Row({ one, at }: { readonly one: SeriesPoints; readonly at: number }) {
  const figures = figuresOf(one);
  return (
    <tr>
      <td className="cell-main mono">
        {at < lines_shown && (
          <svg className="series-key" width={26} height={8} aria-hidden="true" focusable="false">
            <line
              x1={0}
              x2={26}
              y1={4}
              y2={4}
              className={`series-line-${at % 4}`}
              strokeDasharray={dashes[Math.floor(at / 2) % 4]!.join(" ")}
            />
          </svg>
        )}
        <Hostile text={labelText(one.labels)} />
      </td>
      <td>
        <Hostile text={one.source} />
      </td>
      {figures === undefined ? (
        <td colSpan={3} className="dim">
          no sample
        </td>
      ) : (
        <>
          <td className="number">{formatFigure(figures.last)}</td>
          <td className="number">{formatFigure(figures.min)}</td>
          <td className="number">{formatFigure(figures.max)}</td>
        </>
      )}
    </tr>
  );
}
