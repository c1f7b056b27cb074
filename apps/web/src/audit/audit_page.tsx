/** The audit trail: who signed in, was refused, changed or read what, newest first. */
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { AuditRecord } from "../api/types.ts";
import { addFilter } from "../events/query.ts";
import { formatCount } from "../format/number.ts";
import { shorten } from "../format/text.ts";
import { InnerLink } from "../shell/link.tsx";
import { LoadMore } from "../shell/load_more.tsx";
import { PageHead } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Failure, Loading } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { linkPart, useSearch } from "../url/search.ts";
import { aboutOf } from "./about.ts";
import { AuditFilterBar, auditFilter, auditQuery } from "./audit_filter.tsx";
import { RecordTabs } from "./section.tsx";

const page_size = 50;
/** Of one value; a rule's whole text may stand in a record. */
const shown_characters = 200;
/** `unknown`: asked for and let in; the record of how it ended stands above. */
const outcomes = { success: ["good", "done"], failure: ["bad", "failed"], unknown: ["busy", "asked for"] } as const;

export function AuditPage() {
  useTitle("Audit");
  const { params, patch } = useSearch();
  const filter = auditFilter(params);
  const filtered = Object.values(filter).some((one) => one !== "");
  const query = useInfiniteQuery({
    queryKey: ["audit", filter],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get("/audit", { signal, query: { ...auditQuery(filter, Date.now()), limit: page_size, cursor: pageParam } }),
    getNextPageParam: (page) => page.cursor,
  });
  const records = query.data?.pages.flatMap((page) => page.records);
  const newest = records?.[0];
  return (
    <>
      <PageHead title="Audit">
        {newest !== undefined && (
          <>
            <span className="dim small">
              {filtered ? `${formatCount(records!.length)} records loaded that fit` : `${formatCount(newest.n + 1)} records in one chain`}.
              Prove it offline: <code>vedette verify</code>
            </span>
            <InnerLink to="/events?q=event.dataset:vedette.audit" className="small">
              Search them as events
            </InnerLink>
          </>
        )}
        <Button size="xs" variant="default" loading={query.isRefetching} onClick={() => void query.refetch()}>
          Load again
        </Button>
      </PageHead>
      <RecordTabs />
      <AuditFilterBar filter={filter} patch={patch} />
      <section className="panel panel-flush" aria-label="Records">
        {records === undefined ? (
          query.error ? (
            <Failure error={query.error} what="The audit trail" retry={query.refetch} />
          ) : (
            <Loading what="records" rows={12} />
          )
        ) : records.length === 0 ? (
          <Empty
            icon="audit"
            title={
              !filtered ? "Nothing was recorded yet" : query.hasNextPage ? "None among the newest records" : "No record fits the filter"
            }
          >
            {!filtered && <p>Signing in, reading and changing anything is written here, and can be proved offline afterwards.</p>}
          </Empty>
        ) : (
          <Records records={records} />
        )}
        {query.hasNextPage && <LoadMore loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} />}
      </section>
    </>
  );
}

function Records({ records }: { readonly records: readonly AuditRecord[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Record</th>
            <th scope="col">Time</th>
            <th scope="col">User and address</th>
            <th scope="col">Action</th>
            <th scope="col">Outcome</th>
            <th scope="col">About</th>
          </tr>
        </thead>
        <tbody>
          {records.map((record) => (
            <Row key={record.n} record={record} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

/** All records of this person, or of this kind: the trail is searched as events are. */
function SearchLink({ field, value }: { readonly field: string; readonly value: string }) {
  if (value === "") return null;
  return (
    <InnerLink to={`/events?t=all&q=${linkPart(addFilter("event.dataset:vedette.audit", field, value, false))}`}>
      <Hostile text={value} />
    </InnerLink>
  );
}

function Row({ record }: { readonly record: AuditRecord }) {
  const { n, time, hash, fields, erased } = record;
  const text = (name: string) => String(fields?.[name] ?? "");
  const outcome = outcomes[text("event.outcome") as keyof typeof outcomes];
  return (
    <tr>
      <td className="mono" title={`Hash ${hash}`}>
        {n}
      </td>
      <td>
        <Time iso={time} digits={3} />
      </td>
      <td>
        <SearchLink field="user.name" value={text("user.name")} />
        <div className="cell-sub mono">
          <Hostile text={text("source.ip")} />
        </div>
      </td>
      <td>
        <code>{erased === undefined ? <SearchLink field="event.action" value={text("event.action")} /> : "erased"}</code>
      </td>
      <td>{outcome !== undefined && <Mark tone={outcome[0]}>{outcome[1]}</Mark>}</td>
      <td className="cell-main wrap">
        {erased !== undefined && (
          <span className="dim">
            by <Hostile text={erased.by} />: <Hostile text={erased.reason} />
          </span>
        )}
        {aboutOf(record).map(({ name, value }) => (
          <span key={name} className="pair">
            <span className="dim small">
              <Hostile text={name} />
            </span>{" "}
            <Hostile text={shorten(value, shown_characters)} />{" "}
          </span>
        ))}
      </td>
    </tr>
  );
}
