/** Answers questions about series: which there are, and what they came to. Knows no file. */
import { type Condition, compile, narrowed, sightOf } from "@vedette/condition";
import type { Micros } from "@vedette/model";
import type { SeriesLine, SeriesQuery, SeriesStore, SourceSeries } from "../series.ts";
import { seriesFields, seriesView, shownSeries } from "./fields.ts";
import type { SeriesFiles } from "./files.ts";
import { coarse, fine } from "./roll_up.ts";
import { type SeriesName, seriesKey } from "./samples.ts";

function matcher(where: Condition): (series: SeriesName) => boolean {
  const holds = compile(where);
  const asked = new Map<string, boolean>();
  return (series) => {
    const key = seriesKey(series);
    let fits = asked.get(key);
    if (fits === undefined) {
      const labels = Object.entries(JSON.parse(series.labels) as { [name: string]: string });
      fits = holds({ fields: seriesFields(series.source, { ...series, labels }) });
      asked.set(key, fits);
    }
    return fits;
  };
}

const line = ({ source, name, kind, labels }: SeriesName): SeriesLine => ({ source, name, kind, labels: JSON.parse(labels) });
/** Roll-ups of a minute suffice where buckets are made of minutes; they are kept longer, too. */
const widthFor = (step: Micros): Micros => (step % coarse === 0 ? coarse : fine);

export function seriesStore(files: SeriesFiles, limit: number): Omit<SeriesStore, "put"> {
  const find = async ({ tenant, range, where, view: asWritten, limit: most }: SeriesQuery, width: Micros, signal?: AbortSignal) => {
    const span = { tenant, from: Math.floor(range.from / width) * width, to: range.to };
    const view = asWritten && seriesView(asWritten);
    const sight = view && sightOf(view);
    const shown = (series: SeriesName): SeriesLine => (sight === undefined ? line(series) : shownSeries(line(series), sight));
    return files.read(async (reader) => {
      const found = await reader.series(span, width, matcher(view ? narrowed(where, view) : where), signal);
      return { span, found: found.slice(0, most), more: found.length > most, shown };
    });
  };
  return {
    applied: async () => files.applied,
    async list(query, signal) {
      const { found, more, shown } = await find(query, coarse, signal);
      return { series: found.map(shown), more };
    },
    async range(query, signal) {
      const width = widthFor(query.step);
      const { span, found, more, shown } = await find(query, width, signal);
      const rows = await files.read((reader) => reader.rows(span, width, query.step, found, signal));
      return { series: found.map((one, i) => ({ ...shown(one), rows: rows[i]! })), more };
    },
    async sources(tenant) {
      return Object.entries(files.known.totals).flatMap(([key, totals]): SourceSeries[] => {
        const [owner, source] = key.split("\0") as [string, string];
        return owner === tenant ? [{ source, ...totals, series: files.known.count(tenant, source), limit }] : [];
      });
    },
    seal: (all) => files.seal(all === true),
    retain: async (retention) => ({ dropped: await files.retain(retention) }),
    async usage() {
      const { open, sealed, files: count } = files.bytes;
      return { openBytes: open, sealedBytes: sealed, files: count };
    },
  };
}
