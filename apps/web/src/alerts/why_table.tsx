/** The clauses that matched: clause, field, value, and the evidence events they matched in. */
import type { EvidenceEvent } from "../api/types.ts";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { gatherReasons } from "./why.ts";

/** Links to evidence events shown in one row; the rest is a number. */
const links_max = 8;

export function evidenceAnchor(at: number): string {
  return `event-${at + 1}`;
}

function jumpTo(at: number): void {
  const element = document.getElementById(evidenceAnchor(at));
  if (element instanceof HTMLDetailsElement) element.open = true;
  element?.scrollIntoView({ block: "start" });
  element?.querySelector("summary")?.focus({ preventScroll: true });
}

export { jumpTo as jumpToEvidence };

export function WhyTable({ evidence }: { readonly evidence: readonly EvidenceEvent[] }) {
  const reasons = gatherReasons(evidence);
  if (reasons.length === 0)
    return <p className="dim panel-pad">The rule gave no single clause; it counts events. They are listed below.</p>;
  return (
    <TableScroll>
      <table className="grid why">
        <thead>
          <tr>
            <th scope="col">Clause</th>
            <th scope="col">Field = value</th>
            <th scope="col">In event</th>
          </tr>
        </thead>
        <tbody>
          {reasons.map((reason) => (
            <tr key={`${reason.clause} ${reason.field} ${reason.value}`}>
              <td className="mono">
                <span className="clause">
                  <Hostile text={reason.clause} />
                </span>
              </td>
              <td className="mono wrap">
                <Hostile text={reason.field} /> <span className="dim">=</span>{" "}
                <mark>
                  <Hostile text={reason.value} />
                </mark>
              </td>
              <td>
                <span className="jump-list">
                  {reason.events.slice(0, links_max).map((at) => (
                    <button key={at} type="button" className="jump" onClick={() => jumpTo(at)} aria-label={`Show event ${at + 1}`}>
                      {at + 1}
                    </button>
                  ))}
                  {reason.events.length > links_max && <span className="dim small">+{reason.events.length - links_max}</span>}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}
