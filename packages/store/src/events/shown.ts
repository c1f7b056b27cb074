/** Events as who asks may see them: those that the view lets through, with masks where it does not show a value. Knows no query. */
import { masked, sightOf, type View, wholeText } from "@vedette/condition";
import { newFields } from "@vedette/kit";
import type { Event, FieldValue } from "@vedette/model";

export function shownEvents(events: readonly Event[], view: View | undefined): readonly Event[] {
  if (view === undefined) return events;
  const sight = sightOf(view);
  return events.flatMap((event) => {
    const shows = sight(event);
    return shows === undefined ? [] : [shownEvent(event, shows)];
  });
}

/** The same for whatever judges events: a value that is not shown is absent, as it is to every question. */
export function bareEvents(view: View): (events: readonly Event[]) => readonly Event[] {
  const sight = sightOf(view);
  return (events) =>
    events.flatMap((event) => {
      const shows = sight(event);
      if (shows === undefined) return [];
      const fields = newFields();
      for (const name in event.fields) if (shows(name)) fields[name] = event.fields[name] as FieldValue;
      return [{ ...event, fields, host: shows("host.name") ? event.host : "", original: shows(wholeText) ? event.original : "" }];
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
