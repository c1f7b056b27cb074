/** Series of metrics: which there are, what they came to over time, and what became of each source's samples. */
import { Button, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useEffect, useMemo, useState } from "react";
import { api } from "../api/client.ts";
import { filterTerm } from "../events/query.ts";
import { TimePicker } from "../events/time_picker.tsx";
import { formatDuration } from "../format/time.ts";
import { Icon } from "../shell/icons.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { type Range, resolveRange } from "../url/range.ts";
import { useSearch } from "../url/search.ts";
import { groupByName } from "./series.ts";
import { SeriesChart, SeriesTable } from "./series_chart.tsx";
import { SeriesSources } from "./series_sources.tsx";

const functions = ["avg", "min", "max", "sum", "count", "last", "increase", "rate"] as const;
/** Names are gathered from this many series; a narrower filter shows further ones. */
const series_listed = 1_000;
const series_charted = 60;
const refresh_ms = 30_000;
/** All that is kept, and steps of a day: without a beginning the server answers for the past hour. */
const longest_ms = 400 * 86_400_000;

function askedRange(t: string, now_ms: number): Range {
  return { from: new Date(now_ms - longest_ms).toISOString(), ...resolveRange(t, now_ms) };
}

export function MetricsPage() {
  useTitle("Metrics");
  const { params, patch } = useSearch();
  const q = params.get("q") ?? "";
  const t = params.get("t") ?? "1h";
  const fn = functions.find((one) => one === params.get("fn")) ?? "avg";
  const [text, setText] = useState(q);
  useEffect(() => setText(q), [q]);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    patch({ q: text.trim() });
  };
  return (
    <>
      <PageHead title="Metrics" />
      <form onSubmit={submit}>
        <search className="filter-bar">
          <TextInput
            className="metric-query"
            size="xs"
            aria-label="Filter of series"
            placeholder="metric.name:node_cpu* and host.name:web-1"
            leftSection={<Icon name="search" size={14} />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" size="xs" variant="default">
            Show
          </Button>
          <TimePicker value={t} onChange={(value) => patch({ t: value })} />
        </search>
      </form>
      {q === "" ? null : <Charts q={q} t={t} fn={fn} setFunction={(next) => patch({ fn: next === "avg" ? undefined : next })} />}
      <Names q={q} t={t} choose={(name) => patch({ q: filterTerm("metric.name", name) })} />
      <SeriesSources />
    </>
  );
}

interface Asked {
  readonly q: string;
  readonly t: string;
}

/** What can be charted, by name. */
function Names({ q, t, choose }: Asked & { readonly choose: (name: string) => void }) {
  const query = useQuery({
    queryKey: ["series", q, t],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get("/metrics/series", { signal, query: { q, ...askedRange(t, Date.now()), limit: series_listed } }),
  });
  return (
    <Panel
      title="Names"
      aside={query.data?.more === true && <span className="dim small">of the first {series_listed} series; a filter shows others</span>}
    >
      <Loaded query={query} what="Series">
        {({ series }) => {
          const counts = new Map<string, number>();
          for (const { name } of series) counts.set(name, (counts.get(name) ?? 0) + 1);
          if (counts.size === 0)
            return (
              <Empty icon="search" title={q === "" ? "No series had a sample in this time" : "No series passes the filter in this time"}>
                <p>Metrics come by remote write, OpenTelemetry or scraping; the guide on metrics shows each.</p>
              </Empty>
            );
          return (
            <ul className="name-list">
              {[...counts].map(([name, count]) => (
                <li key={name}>
                  <button type="button" className="chip" onClick={() => choose(name)}>
                    <Hostile text={name} /> <span className="dim">{count}</span>
                  </button>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function Charts({
  q,
  t,
  fn,
  setFunction,
}: Asked & { readonly fn: (typeof functions)[number]; readonly setFunction: (fn: (typeof functions)[number]) => void }) {
  const query = useQuery({
    queryKey: ["metrics", q, t, fn],
    placeholderData: keepPreviousData,
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) =>
      api.get("/metrics/query", { signal, query: { q, ...askedRange(t, Date.now()), function: fn, limit: series_charted } }),
  });
  const until = new Date(query.dataUpdatedAt).toISOString();
  const shown = t === "all" ? {} : { to: until, ...resolveRange(t, query.dataUpdatedAt) };
  const groups = useMemo(() => groupByName(query.data?.series ?? []), [query.data]);
  return (
    <>
      <div className="range-line">
        <fieldset className="chips">
          <legend className="visually-hidden">What of a step's samples is shown</legend>
          {functions.map((one) => (
            <button key={one} type="button" className="chip" aria-pressed={one === fn} onClick={() => setFunction(one)}>
              {one}
            </button>
          ))}
        </fieldset>
        {query.data !== undefined && (
          <span className="dim small">
            steps of {formatDuration(query.data.step_s * 1_000)}
            {query.data.more && `; the first ${query.data.series.length} series, a narrower filter shows others`}
          </span>
        )}
      </div>
      <Loaded query={query} what="The metrics" rows={6}>
        {({ step_s }) =>
          groups.map(({ name, series }) => (
            <Panel
              key={name}
              title={<Hostile text={name} />}
              flush
              aside={<span className="dim small">{series.length === 1 ? `1 ${series[0]?.kind}` : `${series.length} series`}</span>}
            >
              <SeriesChart name={name} series={series} step_s={step_s} range={shown} />
              <SeriesTable series={series} />
            </Panel>
          ))
        }
      </Loaded>
    </>
  );
}
