/** The rows of the alert list; one may be selected, and is kept in view. */
import { memo, useEffect, useRef } from "react";
import type { AlertRow } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { InnerLink } from "../shell/link.tsx";
import { Severity, StateMark } from "../shell/severity.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import { linkPart } from "../url/search.ts";
import { EntityText } from "./entities.tsx";

export interface AlertTableProps {
  readonly rows: readonly AlertRow[];
  readonly selected: string | undefined;
  readonly select: (id: string) => void;
}

export function AlertTable({ rows, selected, select }: AlertTableProps) {
  return (
    <TableScroll>
      <table className="grid alert-grid">
        <caption className="visually-hidden">Alerts, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">Alert</th>
            <th scope="col">Entities</th>
            <th scope="col" className="number">
              Count
            </th>
            <th scope="col">First – last seen</th>
            <th scope="col">State</th>
            <th scope="col">ATT&amp;CK</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((alert) => (
            <Row key={alert.id} alert={alert} selected={alert.id === selected} select={select} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

const Row = memo(function Row({
  alert,
  selected,
  select,
}: {
  readonly alert: AlertRow;
  readonly selected: boolean;
  readonly select: (id: string) => void;
}) {
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  return (
    <tr ref={row} className={selected ? "selected" : ""} aria-current={selected ? "true" : undefined} onClick={() => select(alert.id)}>
      <td>
        <Severity level={alert.severity} />
      </td>
      <td className="cell-main">
        <InnerLink to={`/alerts/${linkPart(alert.id)}`}>
          <Hostile text={alert.title} />
        </InnerLink>
        {alert.demo && <span className="tag">demo</span>}
        <div className="cell-sub">
          <Hostile text={alert.summary} />
        </div>
      </td>
      <td>
        <EntityText entities={alert.entities} />
      </td>
      <td className="number" title={`${formatCount(alert.count)} findings from ${formatCount(alert.events)} events`}>
        {formatCount(alert.count)}
      </td>
      <td className="cell-span">
        <Time iso={alert.first_seen} digits={0} />
        <br />
        <Time iso={alert.last_seen} digits={0} />
      </td>
      <td>
        <StateMark state={alert.state} verdict={alert.verdict} />
      </td>
      <td className="mono small">
        {alert.attack.length === 0 ? <span className="dim">–</span> : <Hostile text={alert.attack.join(" ")} />}
      </td>
    </tr>
  );
});
