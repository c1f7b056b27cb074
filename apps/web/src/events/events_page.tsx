/** Event search: query and time in the address, histogram, fields, rows, statistics, and the live tail. */
import { Button } from "@mantine/core";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { formatCount } from "../format/number.ts";
import { formatDuration } from "../format/time.ts";
import { Only } from "../shell/allowed.tsx";
import { Icon } from "../shell/icons.tsx";
import { keysOf } from "../shell/keymap.ts";
import { useKeys } from "../shell/keys.ts";
import { PageHead } from "../shell/panel.tsx";
import { useTitle } from "../shell/title.ts";
import { printRange, resolveRange } from "../url/range.ts";
import { useSearch } from "../url/search.ts";
import { type Search, useEvents, useHistogram, useStats } from "./event_data.ts";
import { ExportButtons } from "./export_buttons.tsx";
import { Histogram } from "./histogram.tsx";
import { addFilter, filterPart, pipeAt } from "./query.ts";
import { QueryBar } from "./query_bar.tsx";
import { Results, StatsResult } from "./results.tsx";
import { TailView } from "./tail_view.tsx";
import { TimePicker } from "./time_picker.tsx";

export function EventsPage() {
  useTitle("Events");
  const { params, patch } = useSearch();
  const q = params.get("q") ?? "";
  const t = params.get("t");
  const tailing = params.get("tail") === "1";
  const [asked_ms, setAsked] = useState(Date.now);
  const [text, setText] = useState(q);
  const [paused, setPaused] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setText(q), [q]);
  const range = useMemo(() => resolveRange(t, asked_ms), [t, asked_ms]);
  const piped = pipeAt(q) >= 0;
  const search = useMemo<Search>(() => ({ q, range }), [q, range]);
  const filter = useMemo<Search>(() => ({ q: filterPart(q), range }), [q, range]);
  const events = useEvents(search, !piped && !tailing);
  const stats = useStats(search, piped && !tailing);
  const histogram = useHistogram(filter, !tailing);
  const run = useCallback(
    (next: string) => {
      setAsked(Date.now());
      patch({ q: next.trim(), sel: undefined });
    },
    [patch],
  );
  const filterBy = useCallback(
    (field: string, value: string, exclude: boolean) =>
      patch({ q: addFilter(new URLSearchParams(window.location.search).get("q") ?? "", field, value, exclude), sel: undefined }),
    [patch],
  );
  const setTail = (on: boolean) => {
    setPaused(false);
    patch({ tail: on ? "1" : undefined, sel: undefined });
  };
  useKeys({
    events_query: () => input.current?.select(),
    events_tail: () => setTail(!tailing),
    ...(tailing && { events_pause: () => setPaused((now) => !now) }),
  });
  const rows = useMemo(() => events.data?.pages.flatMap((page) => page.events), [events.data]);
  const counts = histogram.data;
  return (
    <>
      <PageHead title="Events">
        <Button
          size="xs"
          variant={tailing ? "filled" : "default"}
          onClick={() => setTail(!tailing)}
          aria-pressed={tailing}
          leftSection={<Icon name="play" size={13} />}
        >
          Live tail<kbd>{keysOf("events_tail")}</kbd>
        </Button>
        <Only needs="events:export">
          <ExportButtons rows={piped || tailing ? [] : (rows ?? [])} stats={piped && !tailing ? stats.data : undefined} />
        </Only>
      </PageHead>
      <QueryBar
        text={text}
        setText={setText}
        run={run}
        input={input}
        busy={!tailing && (events.isFetching || stats.isFetching) && !events.isFetchingNextPage}
      />
      {tailing ? (
        <TailView query={filterPart(q)} paused={paused} setPaused={setPaused} filterBy={filterBy} />
      ) : (
        <>
          <div className="range-line">
            <TimePicker
              value={t}
              onChange={(value) => {
                setAsked(Date.now());
                patch({ t: value, sel: undefined });
              }}
            />
            <span className="dim small" aria-live="off">
              {counts !== undefined && `${formatCount(counts.total)} events, bars of ${formatDuration(counts.width_ms)}; drag to zoom`}
            </span>
          </div>
          <section className="panel histogram" aria-label="Events over time">
            {counts === undefined ? (
              <div className="histogram-space dim small">{histogram.error ? `No histogram: ${histogram.error.message}` : "Counting…"}</div>
            ) : (
              <Histogram counts={counts} onZoom={(from, to) => patch({ t: printRange(from, to), sel: undefined })} />
            )}
          </section>
          {piped ? (
            <StatsResult query={stats} />
          ) : (
            <Results
              query={events}
              rows={rows}
              search={filter}
              filterBy={filterBy}
              opened={params.get("sel") ?? undefined}
              open={(id) => patch({ sel: id }, { replace: true })}
              field={params.get("f") ?? undefined}
              openField={(field) => patch({ f: field }, { replace: true })}
              everything={t === "all" && filter.q === ""}
              widen={() => patch({ t: "all" })}
              clear={() => patch({ q: undefined })}
            />
          )}
        </>
      )}
    </>
  );
}
