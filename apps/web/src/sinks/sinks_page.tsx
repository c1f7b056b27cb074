/** The ways out: what each sink read, sent, was refused, and what its receiver says. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Sink } from "../api/data.ts";
import { formatCount } from "../format/number.ts";
import { formatDuration } from "../format/time.ts";
import { PageHead } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { DataTabs } from "../sources/section.tsx";

const tones = { idle: "good", sending: "good", waiting: "warn", failed: "bad", stopped: "quiet" } as const;
const refresh_ms = 3_000;

export function SinksPage() {
  useTitle("Sinks");
  const query = useQuery({
    queryKey: ["sinks"],
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) => api.get("/sinks", { signal }),
  });
  return (
    <>
      <PageHead title="Sinks">
        <span className="dim small">read = sent + refused + skipped</span>
      </PageHead>
      <DataTabs />
      <section className="panel panel-flush" aria-label="Sinks">
        <Loaded query={query} what="Sinks" rows={6}>
          {({ sinks }) =>
            sinks.length === 0 ? (
              <Empty icon="exit" title="Nothing leaves">
                <p>
                  Alerts, findings and events can be sent to other systems: put a sink under <code>sinks:</code> in{" "}
                  <code>vedette.yaml</code>.
                </p>
              </Empty>
            ) : (
              <SinkTable sinks={sinks} />
            )
          }
        </Loaded>
      </section>
    </>
  );
}

function SinkTable({ sinks }: { readonly sinks: readonly Sink[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Sink</th>
            <th scope="col">State</th>
            <th scope="col">Sends</th>
            {["Read", "Sent", "Refused", "Skipped", "Pending"].map((name) => (
              <th key={name} scope="col" className="number">
                {name}
              </th>
            ))}
            <th scope="col">Last sent</th>
          </tr>
        </thead>
        <tbody>
          {sinks.map((sink) => (
            <SinkRow key={sink.name} sink={sink} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function SinkRow({ sink }: { readonly sink: Sink }) {
  const { name, type, select, format, state, read, sent, refused, skipped, missed, pending, lag_ms, problem, answer, last_sent } = sink;
  const reasons = Object.entries(refused);
  const lost = reasons.reduce((sum, [, count]) => sum + count, 0);
  return (
    <tr>
      <td className="cell-main">
        <span className="strong">
          <Hostile text={name} />
        </span>{" "}
        <span className="dim small">
          <Hostile text={type} />
        </span>
        {problem !== undefined && (
          <div className="reason">
            <Hostile text={problem} />
          </div>
        )}
        {answer !== undefined && (
          <div className="cell-sub">
            its receiver said: <Hostile text={answer} />
          </div>
        )}
        {missed > 0 && <div className="reason">{formatCount(missed)} batches left the log before they were sent: raise log retention</div>}
        {(problem !== undefined || lost > 0) && (
          <div className="cell-sub">
            see{" "}
            <code>
              vedette sink test <Hostile text={name} />
            </code>
          </div>
        )}
      </td>
      <td>
        <Mark tone={tones[state] ?? "quiet"}>{state}</Mark>
        {lag_ms > 0 && <div className="cell-sub">for {formatDuration(lag_ms)}</div>}
      </td>
      <td>
        {select}
        <div className="cell-sub">{format.toUpperCase()}</div>
      </td>
      <td className="number">{formatCount(read)}</td>
      <td className="number">{formatCount(sent)}</td>
      <td className={`number ${lost > 0 ? "strong-bad" : ""}`}>
        {formatCount(lost)}
        {reasons.map(([reason, count]) => (
          <div key={reason} className="cell-sub">
            <Hostile text={reason} /> {formatCount(count)}
          </div>
        ))}
      </td>
      <td className="number">{formatCount(skipped)}</td>
      <td className="number">{formatCount(pending)}</td>
      <td>{last_sent === undefined ? <span className="dim">nothing yet</span> : <Time iso={last_sent} digits={0} />}</td>
    </tr>
  );
}
