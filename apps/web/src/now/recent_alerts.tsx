/** The newest alerts that are not closed, live, the most severe first. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { EntityText } from "../alerts/entities.tsx";
import { api } from "../api/client.ts";
import { useAlertStream } from "../api/live.ts";
import type { AlertRow } from "../api/types.ts";
import { InnerLink } from "../shell/link.tsx";
import { Panel } from "../shell/panel.tsx";
import { Severity, StateMark } from "../shell/severity.tsx";
import { Failure, Loading } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useThrottled } from "../shell/throttle.ts";
import { Time } from "../shell/zone.tsx";
import { linkPart } from "../url/search.ts";

const shown = 6;
/** A new alert is on this page within this time. */
const refresh_ms = 400;
const key = ["alerts", "recent"] as const;

/** Worst first, and of each severity the newest: ten critical ones are not to stand behind what happened a minute later. */
async function mostSevere(signal: AbortSignal): Promise<AlertRow[]> {
  const found: AlertRow[] = [];
  for (const severity of ["critical", "high", "medium,low,informational"]) {
    const query = { state: "open,acknowledged", severity, limit: shown - found.length };
    found.push(...((await api.get("/alerts", { query, signal })).alerts as AlertRow[]));
    if (found.length >= shown) break;
  }
  return found;
}

export function RecentAlerts() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => mostSevere(signal),
  });
  const refresh = useThrottled(() => void client.invalidateQueries({ queryKey: key }), refresh_ms);
  useAlertStream(refresh, refresh);
  return (
    <Panel
      title="Latest alerts"
      flush
      aside={
        <>
          <span className="dim small">the most severe first · </span>
          <InnerLink to="/alerts">All alerts</InnerLink>
        </>
      }
    >
      {data === undefined ? (
        error ? (
          <Failure error={error} what="Alerts" retry={refetch} />
        ) : (
          <Loading what="alerts" rows={3} />
        )
      ) : data.length === 0 ? (
        <p className="dim panel-pad">No alert is open.</p>
      ) : (
        <TableScroll>
          <table className="grid">
            <thead>
              <tr>
                <th scope="col">Severity</th>
                <th scope="col">Alert</th>
                <th scope="col">Entities</th>
                <th scope="col">Last seen</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {data.map((alert) => (
                <tr key={alert.id}>
                  <td>
                    <Severity level={alert.severity} />
                  </td>
                  <td className="cell-main">
                    <InnerLink to={`/alerts/${linkPart(alert.id)}`}>
                      <Hostile text={alert.title} />
                    </InnerLink>
                    {alert.demo && <span className="tag">demo</span>}
                  </td>
                  <td>
                    <EntityText entities={alert.entities} />
                  </td>
                  <td>
                    <Time iso={alert.last_seen} digits={0} />
                  </td>
                  <td>
                    <StateMark state={alert.state} verdict={alert.verdict} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
    </Panel>
  );
}
