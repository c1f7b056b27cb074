/** What a search found, in one of its states: loading, nothing by filter, nothing yet, error, rows, or a table of statistics. */
import { Button } from "@mantine/core";
import type { UseInfiniteQueryResult, UseQueryResult } from "@tanstack/react-query";
import type { EventRow, Stats } from "../api/types.ts";
import { InnerLink } from "../shell/link.tsx";
import { LoadMore } from "../shell/load_more.tsx";
import { Empty, Failure, Loading } from "../shell/states.tsx";
import type { Search } from "./event_data.ts";
import { EventTable } from "./event_table.tsx";
import { FieldList, type FilterBy } from "./field_list.tsx";
import { PinnedEvent } from "./pinned_event.tsx";
import { StatsTable } from "./stats_table.tsx";

export interface ResultsProps extends FilterBy {
  readonly query: UseInfiniteQueryResult<unknown>;
  readonly rows: readonly EventRow[] | undefined;
  readonly search: Search;
  readonly opened: string | undefined;
  readonly open: (id: string | undefined) => void;
  readonly field: string | undefined;
  readonly openField: (field: string | undefined) => void;
  /** No query and no time limit: empty then means that nothing was ever stored. */
  readonly everything: boolean;
  readonly widen: () => void;
  readonly clear: () => void;
}

export function Results({ query, rows, search, opened, open, field, openField, everything, widen, clear, filterBy }: ResultsProps) {
  if (rows === undefined)
    return query.error ? <Failure error={query.error} what="Events" retry={query.refetch} /> : <Loading what="events" rows={12} />;
  const pinned = opened !== undefined && !rows.some((row) => row.id === opened) && (
    <PinnedEvent id={opened} close={() => open(undefined)} filterBy={filterBy} />
  );
  if (rows.length === 0) {
    return (
      <>
        {pinned}
        <NoEvents search={search} everything={everything} widen={widen} clear={clear} />
      </>
    );
  }
  return (
    <div className="event-columns">
      <FieldList events={rows} search={search} opened={field} open={openField} filterBy={filterBy} />
      <div className="event-main">
        {pinned}
        <section className="panel panel-flush" aria-label="Events" aria-busy={query.isFetching}>
          <EventTable events={rows} opened={opened} open={open} filterBy={filterBy} />
          {query.error !== null && <p className="panel-pad strong-bad">More could not be loaded: {query.error.message}</p>}
          {query.hasNextPage && <LoadMore loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()} />}
        </section>
      </div>
    </div>
  );
}

function NoEvents({
  search,
  everything,
  widen,
  clear,
}: {
  readonly search: Search;
  readonly everything: boolean;
  readonly widen: () => void;
  readonly clear: () => void;
}) {
  if (everything) {
    return (
      <Empty icon="events" title="No event has been stored yet">
        <p>
          <InnerLink to="/">See how to send the first one</InnerLink>, or <InnerLink to="/sources">whether sources are running</InnerLink>.
        </p>
      </Empty>
    );
  }
  const limited = search.range.from !== undefined || search.range.to !== undefined;
  return (
    <Empty icon="search" title={search.q === "" ? "No event in this time range" : "No event matches"}>
      {search.q !== "" && (
        <p>
          The query is <code className="mono">{search.q}</code>
          {limited && ", within the time range chosen above"}.
        </p>
      )}
      <div className="state-buttons">
        {limited && (
          <Button size="xs" variant="default" onClick={widen}>
            Search all time
          </Button>
        )}
        {search.q !== "" && (
          <Button size="xs" variant="default" onClick={clear}>
            Clear the query
          </Button>
        )}
      </div>
    </Empty>
  );
}

export function StatsResult({ query }: { readonly query: UseQueryResult<Stats> }) {
  if (query.data === undefined)
    return query.error ? <Failure error={query.error} what="The result" retry={query.refetch} /> : <Loading what="the result" rows={8} />;
  return (
    <section className="panel panel-flush" aria-label="Result" aria-busy={query.isFetching}>
      <StatsTable stats={query.data} />
    </section>
  );
}
