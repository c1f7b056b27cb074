/** What became of each source's samples, and how many series it has of how many it may have. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { SeriesSource } from "../api/data.ts";
import { formatCount, formatShare } from "../format/number.ts";
import { Panel } from "../shell/panel.tsx";
import { Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";

export function SeriesSources() {
  const query = useQuery({
    queryKey: ["series-sources"],
    queryFn: ({ signal }) => api.get("/metrics/sources", { signal }),
  });
  return (
    <Panel title="Samples by source" flush>
      <Loaded query={query} what="Sources of samples">
        {({ sources }) =>
          sources.length === 0 ? (
            <p className="dim panel-pad">No source has sent a sample yet.</p>
          ) : (
            <TableScroll>
              <table className="grid">
                <thead>
                  <tr>
                    <th scope="col">Source</th>
                    {["Series", "Of the most", "Kept", "Repeated", "Refused"].map((name) => (
                      <th key={name} scope="col" className="number">
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {sources.map((one) => (
                    <Row key={one.source} one={one} />
                  ))}
                </tbody>
              </table>
            </TableScroll>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Row({ one }: { readonly one: SeriesSource }) {
  const { source, series, limit, kept, repeated, refused, refused_series } = one;
  return (
    <tr>
      <th scope="row">
        <Hostile text={source} />
      </th>
      <td className="number">{formatCount(series)}</td>
      <td className="number">
        {formatShare(series, limit)} of {formatCount(limit)}
      </td>
      <td className="number">{formatCount(kept)}</td>
      <td className="number">{formatCount(repeated)}</td>
      <td className={`number ${refused > 0 ? "strong-bad" : ""}`}>
        {formatCount(refused)}
        {refused_series.length > 0 && (
          <div className="cell-sub wrap">
            beyond the most: <Hostile text={refused_series.join(", ")} />
          </div>
        )}
      </td>
    </tr>
  );
}
