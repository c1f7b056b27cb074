/** One event opened: its fields with buttons to filter by them, the record as it came, and its JSON to copy. */
import { Button, CopyButton } from "@mantine/core";
import type { EventRow, FieldValue } from "../api/types.ts";
import { Icon } from "../shell/icons.tsx";
import { Hostile, Original } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import { EventContext } from "./event_context.tsx";
import type { FilterBy } from "./field_list.tsx";

function show(value: FieldValue): string {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

export function EventDetails({ event, filterBy }: FilterBy & { readonly event: EventRow }) {
  return (
    <div className="event-details">
      <div className="event-facts small">
        <span>
          <span className="dim">received</span> <Time iso={event.received} />
        </span>
        <span>
          <span className="dim">source</span> <Hostile text={event.source} />
        </span>
        <span>
          <span className="dim">class</span> <Hostile text={event.class} />
        </span>
        <span className="mono dim">{event.id}</span>
        <CopyButton value={JSON.stringify(event, null, 2)}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy} leftSection={<Icon name={copied ? "check" : "copy"} size={13} />}>
              {copied ? "Copied" : "Copy JSON"}
            </Button>
          )}
        </CopyButton>
      </div>
      <EventContext id={event.id} fields={Object.keys(event.fields)} />
      <table className="fields">
        <thead className="visually-hidden">
          <tr>
            <th scope="col">Filter</th>
            <th scope="col">Field</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {Object.keys(event.fields)
            .sort()
            .map((field) => {
              const value = event.fields[field]!;
              const first = Array.isArray(value) ? String(value[0] ?? "") : String(value);
              return (
                <tr key={field}>
                  <td className="field-buttons">
                    <button
                      type="button"
                      className="tiny"
                      onClick={() => filterBy(field, first, false)}
                      aria-label={`Filter for ${field} ${first}`}
                      title="Filter for this value"
                    >
                      <Icon name="plus" size={12} />
                    </button>
                    <button
                      type="button"
                      className="tiny"
                      onClick={() => filterBy(field, first, true)}
                      aria-label={`Exclude ${field} ${first}`}
                      title="Exclude this value"
                    >
                      <Icon name="minus" size={12} />
                    </button>
                  </td>
                  <th scope="row">
                    <Hostile text={field} />
                  </th>
                  <td>
                    <Hostile text={show(value)} lines />
                  </td>
                </tr>
              );
            })}
        </tbody>
      </table>
      <Original text={event.original} />
    </div>
  );
}
