/** Events as who asks may see them: those that the view lets through, with masks where it does not show a value. Knows no query. */
import { masked, sightOf, type View, wholeText } from "@vedette/condition";
import { newFields } from "@vedette/kit";
import type { Event } from "@vedette/model";

export function shownEvents(events: readonly Event[], view: View | undefined): readonly Event[] {
  if (view === undefined) return events;
  const sight = sightOf(view);
  return events.flatMap((event) => {
    const shows = sight(event);
    return shows === undefined ? [] : [shownEvent(event, shows)];
  });
}

/** The host is the event's own account of what `host.name` says. */
function shownEvent(event: Event, shows: (field: string) => boolean): Event {
  const fields = newFields();
  let hidden = false;
  for (const name in event.fields) {
    const shown = shows(name);
    if (!shown) hidden = true;
    fields[name] = shown ? event.fields[name] : masked;
  }
  const host = shows("host.name") ? event.host : masked;
  const original = shows(wholeText) ? event.original : masked;
  return hidden || host !== event.host || original !== event.original ? { ...event, fields, host, original } : event;
}
