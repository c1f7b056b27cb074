/** Senders that were refused lately: what they did, and what to do about it. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Refusal } from "../api/data.ts";
import { formatCount } from "../format/number.ts";
import { Panel } from "../shell/panel.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";

const refresh_ms = 5_000;

/** Of one source, or of all and of senders that no token names. */
export function Refusals({ source }: { readonly source?: string }) {
  const query = useQuery({
    queryKey: ["refusals"],
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) => api.get("/refusals", { signal }),
  });
  return (
    <Panel title="Refused senders" flush aside={<span className="dim small">over HTTP, since the server started</span>}>
      <Loaded query={query} what="Refused senders" rows={3}>
        {({ refusals }) => {
          const shown = source === undefined ? refusals : refusals.filter((one) => one.source === source);
          return shown.length === 0 ? <Empty icon="check" title="No sender was refused" /> : <RefusalTable refusals={shown} />;
        }}
      </Loaded>
    </Panel>
  );
}

function RefusalTable({ refusals }: { readonly refusals: readonly Refusal[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Last</th>
            <th scope="col">Sender</th>
            <th scope="col" className="number">
              Times
            </th>
            <th scope="col">What it did, and what to do</th>
          </tr>
        </thead>
        <tbody>
          {refusals.map((one) => (
            <tr key={[one.peer, one.cause, one.endpoint, one.source, one.status].join(" ")}>
              <td>
                <Time iso={one.last} digits={0} />
              </td>
              <td>
                <span className="mono">
                  <Hostile text={one.peer} />
                </span>
                {one.source !== undefined && (
                  <div className="cell-sub">
                    as <Hostile text={one.source} />
                  </div>
                )}
              </td>
              <td className="number">{formatCount(one.count)}</td>
              <td className="cell-main">
                <code>
                  <Hostile text={one.cause} />
                </code>{" "}
                <Hostile text={one.message} />
                <div className="cell-sub">
                  <Hostile text={one.fix} />
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}
