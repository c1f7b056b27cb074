/** Open alerts by severity: one tile a level, each leading to its list. */

import { severities } from "../alerts/filter.ts";
import type { Severity as Level } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { InnerLink } from "../shell/link.tsx";
import { Severity } from "../shell/severity.tsx";

export function OpenAlerts({ open }: { readonly open: { readonly [level in Level]: number } }) {
  return (
    <section aria-label="Open alerts by severity" className="tiles">
      {severities.map((level) => {
        const count = open[level] ?? 0;
        return (
          <InnerLink
            key={level}
            to={`/alerts?state=open&severity=${level}`}
            className={`tile ${count > 0 ? `tile-${level}` : "tile-none"}`}
          >
            <Severity level={level} />
            <span className="tile-count">{formatCount(count)}</span>
            <span className="dim small">open</span>
          </InnerLink>
        );
      })}
    </section>
  );
}
