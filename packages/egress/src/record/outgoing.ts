/** A parcel written in the schema that the configuration asks for. */
import { jsonText, type Outgoing } from "@vedette/kit";
import type { Parcel } from "./ecs.ts";
import { toOcsf } from "./ocsf.ts";

export const schemas = ["ecs", "ocsf"] as const;
export type Schema = (typeof schemas)[number];

/** @param version Vedette's own */
export function outgoing(parcel: Parcel, schema: Schema, version: string): Outgoing {
  const { id, kind, time, severity, name, host, fields } = parcel;
  return { id, kind, time, severity, name, host, fields, body: jsonText(schema === "ecs" ? fields : toOcsf(parcel, version)) };
}
