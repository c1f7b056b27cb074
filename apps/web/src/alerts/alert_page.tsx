/** One alert: why it fired, the events behind it, who and what is involved, and what people did about it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useLocation, useNavigate, useParams } from "react-router";
import { ApiError, api } from "../api/client.ts";
import { useAlertStream } from "../api/live.ts";
import type { Alert, AlertRow } from "../api/types.ts";
import { entityQuery } from "../events/query.ts";
import { formatCount } from "../format/number.ts";
import { formatDuration } from "../format/time.ts";
import { Only } from "../shell/allowed.tsx";
import { Icon } from "../shell/icons.tsx";
import { useKeys } from "../shell/keys.ts";
import { InnerLink } from "../shell/link.tsx";
import { Panel } from "../shell/panel.tsx";
import { Severity, StateMark, verdict_words } from "../shell/severity.tsx";
import { Empty, Failure, Loading } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { useThrottled } from "../shell/throttle.ts";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { rangeAround } from "../url/range.ts";
import { keepZone, patchSearch } from "../url/search.ts";
import { AlertActions } from "./alert_actions.tsx";
import { Evidence } from "./evidence.tsx";
import { GuidancePanel } from "./guidance.tsx";
import { HoldPart } from "./hold_part.tsx";
import { WhyTable } from "./why_table.tsx";

const refresh_ms = 400;

/** The search for the events of an alert: by id where the evidence has all of them, else by its first entity, over its time. */
export function eventsLink(alert: Alert): string {
  const entity = alert.entities[0];
  const q = entity === undefined ? "" : entityQuery(entity);
  return `/events${patchSearch("", { q, t: rangeAround(alert.first_seen, alert.last_seen) })}`;
}

export function AlertPage() {
  const id = useParams()["id"] ?? "";
  const client = useQueryClient();
  const { search } = useLocation();
  const navigate = useNavigate();
  const {
    data: alert,
    error,
    refetch,
  } = useQuery({
    queryKey: ["alert", id],
    queryFn: ({ signal }) => api.get("/alerts/{id}", { path: { id }, signal }),
  });
  useTitle(alert?.title ?? "Alert");
  const refresh = useThrottled(() => void client.invalidateQueries({ queryKey: ["alert", id] }), refresh_ms);
  const onAlert = useCallback((changed: AlertRow) => changed.id === id && refresh(), [id, refresh]);
  useAlertStream(onAlert, refresh);
  useKeys({
    alert_back: () => navigate(keepZone("/alerts", search)),
    ...(alert !== undefined && { alert_events: () => navigate(keepZone(eventsLink(alert), search)) }),
  });
  if (alert === undefined) {
    if (error instanceof ApiError && error.status === 404) {
      return (
        <Empty icon="search" title="There is no alert with this id">
          <p>
            It may have been demo data that was removed. <InnerLink to="/alerts">All alerts</InnerLink>
          </p>
        </Empty>
      );
    }
    return error ? <Failure error={error} what="The alert" retry={refetch} /> : <Loading what="the alert" rows={10} />;
  }
  return (
    <>
      <div className="crumbs">
        <InnerLink to="/alerts">
          <Icon name="back" size={14} /> Alerts
        </InnerLink>
      </div>
      <div className="alert-head">
        <div className="alert-head-line">
          <Severity level={alert.severity} />
          <StateMark state={alert.state} verdict={alert.verdict} />
          {alert.demo && <span className="tag">demo</span>}
          {alert.shadow && <span className="tag">rule on trial</span>}
          {alert.historical && <span className="tag">the past</span>}
          {alert.retracted !== undefined && <span className="tag">retracted</span>}
        </div>
        <h1>
          <Hostile text={alert.title} />
        </h1>
        <p className="alert-summary">
          <Hostile text={alert.summary} />
        </p>
        <AlertActions alert={alert} events={eventsLink(alert)} />
      </div>
      <div className="columns alert-columns">
        <div className="stack">
          <Panel
            title="Why it fired"
            flush
            aside={
              <InnerLink to={`/rules${patchSearch("", { q: alert.rule.id })}`}>
                Rule: <Hostile text={alert.rule.title} />
              </InnerLink>
            }
          >
            <WhyTable evidence={alert.evidence} />
          </Panel>
          <div className="narrow-only">
            <GuidancePanel id={alert.id} state={alert.state} />
          </div>
          <Evidence alert={alert} />
        </div>
        <div className="stack">
          <div className="wide-side">
            <GuidancePanel id={alert.id} state={alert.state} />
          </div>
          <Facts alert={alert} />
          <Entities alert={alert} />
          <History alert={alert} />
          <Only needs="holds:read">
            <HoldPart alert={alert} />
          </Only>
        </div>
      </div>
    </>
  );
}

function Facts({ alert }: { readonly alert: Alert }) {
  return (
    <Panel title="Facts">
      <dl className="facts">
        <dt>First seen</dt>
        <dd>
          <Time iso={alert.first_seen} />
        </dd>
        <dt>Last seen</dt>
        <dd>
          <Time iso={alert.last_seen} />
        </dd>
        <dt>Lasted</dt>
        <dd>{formatDuration(Date.parse(alert.last_seen) - Date.parse(alert.first_seen))}</dd>
        <dt>Findings</dt>
        <dd>{formatCount(alert.count)}</dd>
        <dt>Events</dt>
        <dd>{formatCount(alert.events)}</dd>
        <dt>ATT&amp;CK</dt>
        <dd>{alert.attack.length === 0 ? "–" : alert.attack.map((id) => <Technique key={id} id={id} />)}</dd>
      </dl>
    </Panel>
  );
}

/** A technique with a link to its page; what does not look like one is text. */
function Technique({ id }: { readonly id: string }) {
  if (!/^T\d{4}(\.\d{3})?$/.test(id)) {
    return (
      <span className="attack mono">
        <Hostile text={id} />
      </span>
    );
  }
  return (
    <a
      className="attack mono"
      href={`https://attack.mitre.org/techniques/${id.replace(".", "/")}/`}
      target="_blank"
      rel="noreferrer noopener"
    >
      {id}
    </a>
  );
}

function Entities({ alert }: { readonly alert: Alert }) {
  return (
    <Panel title="Entities">
      {alert.entities.length === 0 ? (
        <p className="dim">None named by the rule.</p>
      ) : (
        <ul className="entity-list">
          {alert.entities.map((entity) => (
            <li key={`${entity.type} ${entity.id}`}>
              <span className="entity-type">
                <Hostile text={entity.type} />
              </span>
              <InnerLink
                to={`/events${patchSearch("", { q: entityQuery(entity), t: rangeAround(alert.first_seen, alert.last_seen, 3_600_000) })}`}
                title="Search events with this entity, one hour around the alert"
              >
                <Hostile text={entity.id} />
              </InnerLink>
              <InnerLink
                className="small"
                to={`/alerts${patchSearch("", { state: "any", entity: entity.id })}`}
                title="Alerts with this entity"
              >
                alerts
              </InnerLink>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function History({ alert }: { readonly alert: Alert }) {
  return (
    <Panel title="History">
      <ol className="history">
        {[...alert.history].reverse().map((change) => (
          <li key={`${change.at} ${change.what}`}>
            <div>
              <strong>{change.what}</strong> by <Hostile text={change.by} />
              {change.verdict !== undefined && <> as {verdict_words[change.verdict] ?? change.verdict}</>}
            </div>
            <div className="dim small">
              <Time iso={change.at} digits={0} />
            </div>
            {change.note !== undefined && (
              <p className="history-note">
                <Hostile text={change.note} lines />
              </p>
            )}
          </li>
        ))}
      </ol>
    </Panel>
  );
}
