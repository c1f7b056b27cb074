/** The fields of the loaded events; an opened one shows its most frequent values, to keep or to leave out. */
import { TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import type { EventRow } from "../api/types.ts";
import { formatCompact, formatCount, formatShare } from "../format/number.ts";
import { shorten } from "../format/text.ts";
import { Icon } from "../shell/icons.tsx";
import { Hostile } from "../shell/text.tsx";
import { type Search, useTop } from "./event_data.ts";
import { countFields } from "./summary.ts";

/** Fields shown before "more": as many as fit beside a screenful of rows. */
const fields_shown = 40;

export interface FilterBy {
  readonly filterBy: (field: string, value: string, exclude: boolean) => void;
}

export interface FieldListProps extends FilterBy {
  readonly events: readonly EventRow[];
  readonly search: Search;
  readonly opened: string | undefined;
  readonly open: (field: string | undefined) => void;
}

export function FieldList({ events, search, opened, open, filterBy }: FieldListProps) {
  const [part, setPart] = useState("");
  const [all, setAll] = useState(false);
  const counted = useMemo(() => countFields(events), [events]);
  const matching = counted.filter(({ field }) => field.includes(part.trim().toLowerCase()));
  const shown = all || part !== "" ? matching : matching.slice(0, fields_shown);
  return (
    <aside className="field-list" aria-label="Fields">
      <TextInput
        size="xs"
        aria-label="Find a field"
        placeholder="Find a field"
        value={part}
        onChange={(event) => setPart(event.currentTarget.value)}
      />
      <ul>
        {shown.map(({ field, count }) => (
          <li key={field}>
            <button
              type="button"
              className="field-name mono"
              aria-expanded={opened === field}
              onClick={() => open(opened === field ? undefined : field)}
            >
              <Icon name={opened === field ? "down" : "right"} size={12} />
              <span className="field-text">
                <Hostile text={field} />
              </span>
              <span className="dim small" title={`in ${count} of the ${events.length} loaded events`}>
                {formatShare(count, events.length)}
              </span>
            </button>
            {opened === field && <TopValues field={field} search={search} filterBy={filterBy} />}
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="dim small">No such field in the loaded events.</p>}
      {shown.length < matching.length && (
        <button type="button" className="link-button" onClick={() => setAll(true)}>
          {matching.length - shown.length} more fields
        </button>
      )}
    </aside>
  );
}

function TopValues({ field, search, filterBy }: FilterBy & { readonly field: string; readonly search: Search }) {
  const { data, error } = useTop(search, field);
  if (data === undefined) return <p className="dim small top-note">{error ? error.message : "Counting…"}</p>;
  if (data.values.length === 0) return <p className="dim small top-note">No values in this range.</p>;
  return (
    <ol className="top-values">
      {data.values.map(({ value, count }) => (
        <li key={value}>
          <div className="top-bar-back" style={{ width: `${data.total > 0 ? Math.min(100, (count / data.total) * 100) : 0}%` }} />
          <button
            type="button"
            className="top-value mono"
            onClick={() => filterBy(field, value, false)}
            title={`Only ${field} = this value`}
          >
            <Hostile text={shorten(value, 80)} />
          </button>
          <span className="small" title={`${formatCount(count)} of ${formatCount(data.total)}`}>
            {formatCompact(count)}
          </span>
          <button
            type="button"
            className="tiny"
            onClick={() => filterBy(field, value, true)}
            aria-label={`Exclude ${field} ${value}`}
            title="Exclude"
          >
            <Icon name="minus" size={12} />
          </button>
        </li>
      ))}
    </ol>
  );
}
