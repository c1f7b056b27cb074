/** One operation of a service as tracing tells of it. Types only. */
import type { Micros } from "./event.ts";

/** What is measured of services is made of these alone; everything else that a span tells is in its event. */
export interface Span {
  readonly service: string;
  /** `internal`, `server`, `client`, `producer`, `consumer`; undefined where it is not told. */
  readonly kind: string | undefined;
  readonly start: Micros;
  /** µs, with fractions. */
  readonly duration: number;
  readonly failed: boolean;
  /** The service or address that a client or producer called, where it says so. */
  readonly peer: string | undefined;
  /** Host of the service, where it is told. */
  readonly host: string | undefined;
}
