/** Events of the crash test, the same in parent and child. */
import { newFields } from "@vedette/kit";
import type { Event } from "@vedette/model";

export function eventOf(seq: number): Event {
  const fields = newFields();
  fields["source.ip"] = `10.0.0.${seq % 7}`;
  const kind = seq % 3 === 0 ? "process" : "network";
  const base = { tenant: "main", source: "test", host: "h", received: 0, class: kind, original: `line ${seq}` } as const;
  return { ...base, id: `e${seq}`, time: seq, seq, fields };
}
