/** Sources with rate, stored, dead, pending and the time of the last record; short form of the Sources page. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { formatCount, formatRate } from "../format/number.ts";
import { formatAgo } from "../format/time.ts";
import { Mark } from "../shell/severity.tsx";
import { Empty, Failure, Loading } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";

export const source_tones = { running: "good", idle: "quiet", failed: "bad", stopped: "quiet" } as const;
const refresh_ms = 3_000;

export function useSources() {
  return useQuery({
    queryKey: ["sources"],
    queryFn: ({ signal }) => api.get("/sources", { signal }),
    refetchInterval: refresh_ms,
  });
}

export function SourceTable() {
  const { data, error, refetch } = useSources();
  if (data === undefined) return error ? <Failure error={error} what="Sources" retry={refetch} /> : <Loading what="sources" rows={4} />;
  if (data.sources.length === 0) return <Empty icon="sources" title="No source is configured yet" />;
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Rate
            </th>
            <th scope="col" className="number">
              Stored
            </th>
            <th scope="col" className="number">
              Pending
            </th>
            <th scope="col" className="number">
              Dead
            </th>
            <th scope="col">Last received</th>
          </tr>
        </thead>
        <tbody>
          {data.sources.map((source) => (
            <tr key={source.name}>
              <th scope="row">
                <Hostile text={source.name} /> <span className="dim small">{source.type}</span>
              </th>
              <td>
                <Mark tone={source_tones[source.state] ?? "quiet"}>{source.state}</Mark>
              </td>
              <td className="number">{formatRate(source.rate)}</td>
              <td className="number">{formatCount(source.stored)}</td>
              <td className="number">{formatCount(source.pending)}</td>
              <td className={`number ${source.dead > 0 ? "strong-bad" : ""}`}>{formatCount(source.dead)}</td>
              <td>
                {source.last_received === undefined ? (
                  <span className="dim">nothing yet</span>
                ) : (
                  <>
                    <Time iso={source.last_received} digits={0} />{" "}
                    <span className="dim small wide-only">{formatAgo(source.last_received, Date.now())}</span>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}
