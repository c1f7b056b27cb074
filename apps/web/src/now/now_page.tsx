/** The first page: what is happening now, what waits for a person, and whether anything is wrong. */
import { useLive } from "../api/live.ts";
import { useMay } from "../api/session.ts";
import { formatBytes, formatCount, formatRate } from "../format/number.ts";
import { formatDuration } from "../format/time.ts";
import { Only } from "../shell/allowed.tsx";
import { Icon } from "../shell/icons.tsx";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Loading } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { DemoBanner } from "./demo_banner.tsx";
import { FirstRun } from "./first_run.tsx";
import { OpenAlerts } from "./open_alerts.tsx";
import { RateChart } from "./rate_chart.tsx";
import { RecentAlerts } from "./recent_alerts.tsx";
import { SourceTable } from "./source_table.tsx";

/** Figures of the whole cannot be cut to what somebody may see. */
function Confined() {
  return (
    <>
      <PageHead title="Now" />
      <Only needs="alerts:read">
        <RecentAlerts />
      </Only>
      <p className="dim small">
        Your roles reach a part of the events; figures of the whole are not shown. <InnerLink to="/profile">What you may</InnerLink>
      </p>
    </>
  );
}

export function NowPage() {
  useTitle("Now");
  const { status, samples, connection } = useLive();
  const may_see_all = useMay("system:read");
  if (!may_see_all) return <Confined />;
  if (status === undefined) {
    return (
      <>
        <PageHead title="Now" />
        {connection === "lost" ? (
          <p className="notice notice-bad">The server does not answer. This page fills as soon as it does.</p>
        ) : (
          <Loading what="the state" rows={8} />
        )}
      </>
    );
  }
  const disk = status.disk.log_bytes + status.disk.open_bytes + status.disk.sealed_bytes;
  return (
    <>
      <PageHead title="Now">
        <span className="dim small">
          Vedette {status.version}, up since <Time iso={status.started} digits={0} />
        </span>
      </PageHead>
      {(!status.ready || status.problems.length > 0) && (
        <div className="notice notice-bad" role="alert">
          <Icon name="warning" />
          <div>
            <strong>{status.ready ? "Something needs attention" : "Vedette is not ready"}</strong>
            <ul>
              {status.problems.map((problem) => (
                <li key={problem.code}>
                  <Hostile text={problem.message} /> <code>{problem.code}</code>
                </li>
              ))}
            </ul>
          </div>
        </div>
      )}
      <DemoBanner demo={status.demo} />
      {status.events === 0 && <FirstRun />}
      <OpenAlerts open={status.alerts.open} />
      <div className="columns now-columns">
        <Panel title="Events a second" aside={<span className="dim small">last 5 minutes at most, since this page was opened</span>}>
          <RateChart samples={samples} />
        </Panel>
        <Panel title="Figures">
          <dl className="figures">
            <div>
              <dt>Rate</dt>
              <dd>{formatRate(status.rate)}</dd>
            </div>
            <div>
              <dt>Lag</dt>
              <dd>{formatDuration(status.lag_ms)}</dd>
            </div>
            <div>
              <dt>Events stored</dt>
              <dd>{formatCount(status.events)}</dd>
            </div>
            <div>
              <dt>On disk</dt>
              <dd>{formatBytes(disk)}</dd>
            </div>
            <div>
              <dt>Log</dt>
              <dd>{formatBytes(status.disk.log_bytes)}</dd>
            </div>
            <div>
              <dt>Open hours</dt>
              <dd>{formatBytes(status.disk.open_bytes)}</dd>
            </div>
            <div>
              <dt>Sealed</dt>
              <dd>{formatBytes(status.disk.sealed_bytes)}</dd>
            </div>
            <div>
              <dt>Records as they came</dt>
              <dd>{formatBytes(status.disk.original_bytes)}</dd>
            </div>
          </dl>
        </Panel>
      </div>
      <RecentAlerts />
      <Only needs="sources:read">
        <Panel title="Sources" flush aside={<InnerLink to="/sources">Ledger and dead letters</InnerLink>}>
          <SourceTable />
        </Panel>
      </Only>
    </>
  );
}
