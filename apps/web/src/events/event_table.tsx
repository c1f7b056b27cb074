/** Events as rows that open; rows off screen are not painted (content-visibility), so a thousand stay quick. */
import { memo } from "react";
import type { EventRow } from "../api/types.ts";
import { Icon } from "../shell/icons.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import { EventDetails } from "./event_details.tsx";
import type { FilterBy } from "./field_list.tsx";
import { datasetOf, summarise } from "./summary.ts";

export interface EventTableProps extends FilterBy {
  readonly events: readonly EventRow[];
  readonly opened: string | undefined;
  readonly open: (id: string | undefined) => void;
}

export function EventTable({ events, opened, open, filterBy }: EventTableProps) {
  return (
    <div className="event-table">
      <div className="event-row event-head" aria-hidden="true">
        <span />
        <span>Time</span>
        <span>Host</span>
        <span>Dataset</span>
        <span>Summary</span>
      </div>
      <ul aria-label="Events, newest first">
        {events.map((event) => (
          <Row key={event.id} event={event} opened={event.id === opened} open={open} filterBy={filterBy} />
        ))}
      </ul>
    </div>
  );
}

const Row = memo(function Row({
  event,
  opened,
  open,
  filterBy,
}: FilterBy & { readonly event: EventRow; readonly opened: boolean; readonly open: (id: string | undefined) => void }) {
  return (
    <li className={`event-item ${opened ? "event-opened" : ""}`}>
      <button type="button" className="event-row" aria-expanded={opened} onClick={() => open(opened ? undefined : event.id)}>
        <Icon name={opened ? "down" : "right"} size={12} />
        <Time iso={event.time} />
        <span className="clip">
          <Hostile text={event.host} />
        </span>
        <span className="clip dim">
          <Hostile text={datasetOf(event)} />
        </span>
        <span className="clip mono">
          <Hostile text={summarise(event)} />
        </span>
      </button>
      {opened && <EventDetails event={event} filterBy={filterBy} />}
    </li>
  );
});
