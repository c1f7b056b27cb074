/** Mounts one uPlot chart: size, theme and data follow the page. It knows no series; the caller builds the options. */
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Palette {
  readonly line: string;
  readonly fill: string;
  readonly axis: string;
  readonly grid: string;
  /** For several lines in one chart. */
  readonly lines: readonly string[];
}

export interface PlotProps {
  /** Must be stable (useCallback): a new one builds the chart anew. */
  readonly build: (palette: Palette, size: { readonly width: number; readonly height: number }) => uPlot.Options;
  readonly data: uPlot.AlignedData;
  readonly height: number;
  /** What the chart says, in words, for those who cannot see it. */
  readonly label: string;
}

function readPalette(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const lines = [1, 2, 3, 4].map((at) => colour(`--series-${at}`));
  return { line: colour("--chart"), fill: colour("--chart-fill"), axis: colour("--dim"), grid: colour("--line"), lines };
}

export function Plot({ build, data, height, label }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const latest = useRef(data);
  const scheme = useComputedColorScheme("dark", { getInitialValueInEffect: false });
  latest.current = data;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes the palette read from the page
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(build(readPalette(element), { width: Math.max(element.clientWidth, 120), height }), latest.current, element);
    chart.current = made;
    const resize = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [build, height, scheme]);
  useEffect(() => {
    chart.current?.setData(data);
  }, [data]);
  return <div ref={box} className="plot" role="img" aria-label={label} style={{ height }} />;
}

/** Axis ticks through the page's own zone. */
export function zoneDate(utc: boolean): (seconds: number) => Date {
  return utc ? (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC") : (seconds) => new Date(seconds * 1_000);
}

/** 24-hour ticks at every scale; uPlot's own are am/pm. */
export const time_ticks: uPlot.Axis.Values = [
  [3600 * 24 * 365, "{YYYY}", null, null, null, null, null, null, 1],
  [3600 * 24 * 28, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [3600 * 24, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [0.001, "{HH}:{mm}:{ss}.{fff}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];
