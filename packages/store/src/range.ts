/** A part of time. */
import type { Micros } from "@vedette/model";

/** Half-open range of event time. */
export interface TimeRange {
  readonly from: Micros;
  readonly to: Micros;
}
