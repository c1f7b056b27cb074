/** Saves the loaded rows, or the result table, as files. */
import { Button } from "@mantine/core";
import type { EventRow, Stats } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { Icon } from "../shell/icons.tsx";
import { download, eventsToCsv, eventsToNdjson, toCsv } from "./export.ts";

export function ExportButtons({ rows, stats }: { readonly rows: readonly EventRow[]; readonly stats: Stats | undefined }) {
  const count = stats?.rows.length ?? rows.length;
  const what = `the ${formatCount(count)} loaded rows`;
  return (
    <>
      <Button
        size="xs"
        variant="default"
        disabled={count === 0}
        title={`Save ${what} as CSV`}
        leftSection={<Icon name="download" size={14} />}
        onClick={() =>
          download("events.csv", "text/csv;charset=utf-8", stats === undefined ? eventsToCsv(rows) : toCsv(stats.columns, stats.rows))
        }
      >
        CSV
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={rows.length === 0}
        title={`Save ${what} as NDJSON`}
        leftSection={<Icon name="download" size={14} />}
        onClick={() => download("events.ndjson", "application/x-ndjson", eventsToNdjson(rows))}
      >
        NDJSON
      </Button>
    </>
  );
}
