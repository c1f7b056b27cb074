/** The events kept as evidence: a time line, and each event with its fields, the matched ones marked. */
import type { Alert, EvidenceEvent } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { shorten } from "../format/text.ts";
import { InnerLink } from "../shell/link.tsx";
import { Panel } from "../shell/panel.tsx";
import { Hostile, Original } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import { rangeAround } from "../url/range.ts";
import { patchSearch } from "../url/search.ts";
import { orderFields, placeInTime } from "./why.ts";
import { evidenceAnchor, jumpToEvidence } from "./why_table.tsx";

/** Events opened at first sight; the others open by a click. */
const opened_at_first = 1;

export function Evidence({ alert }: { readonly alert: Alert }) {
  const kept = alert.evidence.length;
  return (
    <Panel
      title="Evidence"
      aside={
        <span className="dim small">
          {kept < alert.events ? `${kept} of ${formatCount(alert.events)} events kept` : `${kept} ${kept === 1 ? "event" : "events"}`}
        </span>
      }
    >
      {kept === 0 ? <p className="dim">No event was kept.</p> : <TimeLine alert={alert} />}
      <div className="evidence">
        {alert.evidence.map((event, at) => (
          <EvidenceItem key={event.id} event={event} at={at} />
        ))}
      </div>
    </Panel>
  );
}

function TimeLine({ alert }: { readonly alert: Alert }) {
  const places = placeInTime(
    alert.evidence.map((event) => event.time),
    alert.first_seen,
    alert.last_seen,
  );
  return (
    <div className="time-line">
      <div className="time-line-track">
        {alert.evidence.map((event, at) => (
          <button
            key={event.id}
            type="button"
            className="time-line-dot"
            style={{ left: `${(places[at] ?? 0) * 100}%` }}
            onClick={() => jumpToEvidence(at)}
            aria-label={`Event ${at + 1} at ${event.time}`}
            title={`Event ${at + 1}`}
          />
        ))}
      </div>
      <div className="time-line-ends dim small">
        <Time iso={alert.first_seen} digits={0} />
        <Time iso={alert.last_seen} digits={0} />
      </div>
    </div>
  );
}

function EvidenceItem({ event, at }: { readonly event: EvidenceEvent; readonly at: number }) {
  const lines = orderFields(event.fields, event.matches);
  return (
    <details id={evidenceAnchor(at)} className="evidence-item" open={at < opened_at_first}>
      <summary>
        <span className="evidence-number">{at + 1}</span>
        <Time iso={event.time} /> <span className="dim">{event.source}</span>
        <span className="evidence-line mono">
          <Hostile text={shorten(event.original, 160)} />
        </span>
      </summary>
      <table className="fields">
        <thead className="visually-hidden">
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Value</th>
            <th scope="col">Matched by</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.field} className={line.clauses.length > 0 ? "matched" : ""}>
              <th scope="row">
                <Hostile text={line.field} />
              </th>
              <td>
                {line.clauses.length > 0 ? (
                  <mark>
                    <Hostile text={String(line.value)} />
                  </mark>
                ) : (
                  <Hostile text={Array.isArray(line.value) ? line.value.join(", ") : String(line.value)} />
                )}
              </td>
              <td>
                {line.clauses.map((clause) => (
                  <span key={clause} className="clause">
                    <Hostile text={clause} />
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="evidence-links">
        <InnerLink to={`/events${patchSearch("", { sel: event.id, t: rangeAround(event.time, event.time) })}`}>
          Show in event search
        </InnerLink>
      </p>
      <Original text={event.original} label={`Original record of event ${at + 1}`} />
    </details>
  );
}
