/** The event a link points to, when the list below does not hold it. */
import { useQuery } from "@tanstack/react-query";
import { ApiError, api } from "../api/client.ts";
import { Panel } from "../shell/panel.tsx";
import { Time } from "../shell/zone.tsx";
import { EventDetails } from "./event_details.tsx";
import type { FilterBy } from "./field_list.tsx";

export function PinnedEvent({ id, close, filterBy }: FilterBy & { readonly id: string; readonly close: () => void }) {
  const { data, error } = useQuery({
    queryKey: ["event", id],
    queryFn: ({ signal }) => api.get("/events/{id}", { path: { id }, signal }),
  });
  const closer = (
    <button type="button" className="link-button" onClick={close}>
      Close
    </button>
  );
  if (data === undefined) {
    if (error === null) return null;
    return (
      <Panel title="Linked event" aside={closer} className="pinned">
        <p className="dim">
          {error instanceof ApiError && error.status === 404
            ? "It is not in the store any more; retention may have removed it."
            : error.message}
        </p>
      </Panel>
    );
  }
  return (
    <Panel title="Linked event" aside={closer} flush className="pinned">
      <p className="panel-pad">
        <Time iso={data.time} digits={6} />
      </p>
      <EventDetails event={data} filterBy={filterBy} />
    </Panel>
  );
}
