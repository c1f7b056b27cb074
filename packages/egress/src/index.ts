/** Sinks: alerts, findings and events to other systems, in open schemas. Where they come from is none of its business. */
import { discover, type SinkSpec } from "@vedette/kit";

export { alertParcel, eventParcel, findingParcel, type Parcel } from "./record/ecs.ts";
export * from "./record/outgoing.ts";

/** Every sink by its name in the configuration. */
export const sinks = (): Promise<ReadonlyMap<string, SinkSpec>> => discover<SinkSpec>(new URL("./sinks/", import.meta.url));
