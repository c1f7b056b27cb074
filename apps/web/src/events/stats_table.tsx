/** The result of a query with pipes as a table. */
import type { Stats } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { Empty } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";

export function StatsTable({ stats }: { readonly stats: Stats }) {
  if (stats.rows.length === 0) return <Empty icon="search" title="The query gives no rows in this time range" />;
  return (
    <TableScroll>
      <table className="grid">
        <caption className="visually-hidden">Result of the query</caption>
        <thead>
          <tr>
            {stats.columns.map((column, at) => (
              <th key={column} scope="col" className={typeof stats.rows[0]?.[at] === "number" ? "number" : ""}>
                <Hostile text={column} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {stats.rows.map((row, line) => (
            <tr key={JSON.stringify([line, row[0]])}>
              {row.map((cell, at) => (
                <td key={stats.columns[at] ?? at} className={typeof cell === "number" ? "number mono" : "mono wrap"}>
                  {typeof cell === "number" ? (
                    Number.isInteger(cell) ? (
                      formatCount(cell)
                    ) : (
                      String(cell)
                    )
                  ) : cell === null ? (
                    <span className="dim">–</span>
                  ) : (
                    <Hostile text={String(cell)} />
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}
