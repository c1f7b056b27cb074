/** Nodes as a grid of tiles: those with alerts stand out by word and frame, not by colour alone. */
import { filterTerm } from "../events/query.ts";
import { formatCompact, formatCount } from "../format/number.ts";
import { InnerLink } from "../shell/link.tsx";
import { Hostile } from "../shell/text.tsx";
import { default_range } from "../url/range.ts";
import { linkPart } from "../url/search.ts";
import type { HpcNode } from "./data.ts";

export function NodeGrid({ nodes, t }: { readonly nodes: readonly HpcNode[]; readonly t: string }) {
  if (nodes.length === 0) return <p className="dim">No node told of a job in this time.</p>;
  const sorted = [...nodes].sort((a, b) => b.alerts - a.alerts || (a.node < b.node ? -1 : 1));
  return (
    <ul className="node-grid">
      {sorted.map(({ node, events, jobs, alerts }) => (
        <li key={node} className={alerts > 0 ? "node node-alerted" : "node"}>
          <InnerLink
            to={`/events?q=${linkPart(filterTerm("host.name", node))}${t === default_range ? "" : `&t=${linkPart(t)}`}`}
            className="clip"
            title={`${formatCount(events)} events`}
          >
            <Hostile text={node} />
          </InnerLink>
          <span className="dim small">
            {formatCompact(jobs)} {jobs === 1 ? "job" : "jobs"}
          </span>
          {alerts > 0 && (
            <span className="strong-bad small">
              {formatCount(alerts)} {alerts === 1 ? "alert" : "alerts"}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
