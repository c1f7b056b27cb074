/** What a backtest came to, rule by rule. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { formatCount, formatFigure } from "../format/number.ts";
import { InnerLink } from "../shell/link.tsx";
import { Panel } from "../shell/panel.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";

interface ReportProps {
  readonly id: string;
  readonly isOpen: (state: string) => boolean;
  readonly refresh_ms: number;
}

export function Report({ id, isOpen, refresh_ms }: ReportProps) {
  const query = useQuery({
    queryKey: ["backtest", id],
    queryFn: ({ signal }) => api.get("/backtests/{id}", { path: { id }, signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && isOpen(state.data.state) ? refresh_ms : false),
  });
  const report = query.data?.report;
  return (
    <Panel title={`Result of ${id}`} aside={report !== undefined && <Summary report={report} />} flush>
      <Loaded query={query} what="The result" rows={4}>
        {({ state }) =>
          report === undefined ? (
            <Empty icon="search" title={isOpen(state) ? "It is not done yet" : "There is no result"} />
          ) : (
            <>
              <Rules rules={report.rules} />
              {report.refused.map((line) => (
                <p key={line} className="small strong-bad">
                  <Hostile text={line} />
                </p>
              ))}
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

type Full = NonNullable<Awaited<ReturnType<typeof one>>["report"]>;

function Summary({ report: { candidates, stored, span_days, seconds } }: { readonly report: Full }) {
  return (
    <span className="dim small">
      {formatCount(candidates)} of {formatCount(stored)} events looked at, {formatFigure(span_days)} days, {formatFigure(seconds)} s
    </span>
  );
}

type Rule = NonNullable<Awaited<ReturnType<typeof one>>["report"]>["rules"][number];
const one = () => api.get("/backtests/{id}", { path: { id: "" } });

function Rules({ rules }: { readonly rules: readonly Rule[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col" className="number">
              Matches
            </th>
            <th scope="col" className="number">
              Alerts
            </th>
            <th scope="col" className="number">
              Alerts a day
            </th>
            <th scope="col">Mostly</th>
            <th scope="col">Events</th>
          </tr>
        </thead>
        <tbody>
          {[...rules]
            .sort((a, b) => b.alerts - a.alerts || b.matched - a.matched)
            .map((rule) => (
              <tr key={rule.id}>
                <td className="cell-main">
                  <Hostile text={rule.title} />
                  <div className="cell-sub mono">
                    <Hostile text={rule.id} />
                  </div>
                </td>
                <td className="number">{formatCount(rule.matched)}</td>
                <td className="number">
                  {rule.at_least && "≥ "}
                  {formatCount(rule.alerts)}
                </td>
                <td className="number">{formatFigure(rule.alerts_per_day)}</td>
                <td className="wrap small">
                  {rule.entities.slice(0, 3).map(({ type, id, count }) => (
                    <div key={`${type} ${id}`}>
                      <Hostile text={id} /> <span className="dim">{formatCount(count)}</span>
                    </div>
                  ))}
                </td>
                <td className="small">
                  {rule.samples[0] !== undefined && (
                    <InnerLink to={`/events?sel=${encodeURIComponent(rule.samples[0])}&t=all`}>An example</InnerLink>
                  )}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </TableScroll>
  );
}
