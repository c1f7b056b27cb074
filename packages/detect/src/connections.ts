/** What a connection came to, from Zeek's conn log or from who let it through. Knows no detector. */
import type { Fields } from "@vedette/model";
import { numberField } from "./episode.ts";

/** Zeek's conn_state for attempts that nobody answered, that were refused, or that were given up half open. */
const failedStates = new Set(["S0", "REJ", "RSTOS0", "SH"]);
/** Established, whoever closed it and how. */
const reachedStates = new Set(["S1", "SF", "S2", "S3", "RSTO", "RSTR"]);

/** `failed`, `reached` (established and used), or undefined: one-sided, midstream, or opened and closed without a byte, as health checks do. */
export function outcomeOf(fields: Fields): "failed" | "reached" | undefined {
  const state = fields["zeek.conn.conn_state"];
  if (typeof state !== "string") return isDenied(fields) ? "failed" : undefined;
  if (failedStates.has(state)) return "failed";
  if (!reachedStates.has(state)) return undefined;
  return numberField(fields, "source.bytes") + numberField(fields, "destination.bytes") > 0 ? "reached" : undefined;
}
/** What a firewall, a cloud's flow log or a packet filter let nobody through; a sensor's blocked alert is no attempt to connect. */
export const deniedQuery =
  "event.category:network and event.type:denied and not event.category:intrusion_detection and network.transport:tcp and destination.port:*";
const isDenied = (fields: Fields): boolean => {
  const type = fields["event.type"];
  return type === "denied" || (Array.isArray(type) && type.includes("denied"));
};
export const failedQuery =
  "(zeek.conn.conn_state:S0 or zeek.conn.conn_state:REJ or zeek.conn.conn_state:RSTOS0 or zeek.conn.conn_state:SH)";
