/** Troubles of data as a table: what is wrong, since when, and what to do. */
import { Mark } from "../shell/severity.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import type { Trouble } from "./trouble.ts";

/** A cluster whose switch failed has thousands of silent hosts. */
const rows_shown = 200;

export function TroubleTable({ troubles }: { readonly troubles: readonly Trouble[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">About</th>
            <th scope="col">What is wrong, and what to do</th>
            <th scope="col">Since</th>
          </tr>
        </thead>
        <tbody>
          {troubles.slice(0, rows_shown).map(({ tone, about, what, fix, since }) => (
            <tr key={`${about} ${what}`}>
              <td>
                <Mark tone={tone}>{tone === "bad" ? "broken" : "odd"}</Mark>
                <div className="strong wrap">
                  <Hostile text={about} />
                </div>
              </td>
              <td className="cell-main">
                <Hostile text={what} />
                <div className="cell-sub">{fix}</div>
              </td>
              <td>{since === undefined ? <span className="dim">–</span> : <Time iso={since} digits={0} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {troubles.length > rows_shown && <p className="panel-pad dim">And {troubles.length - rows_shown} more.</p>}
    </TableScroll>
  );
}
