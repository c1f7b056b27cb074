/** An event on its way from the decoder to the rules, as pipelines see and change it. Types only. */
import type { EventClass, Fields, Micros } from "@vedette/model";

export interface Draft {
  readonly id: string;
  readonly time: Micros;
  readonly fields: Fields;
  /** The record as it came; what is redacted in a field is redacted here too. */
  original: string;
  /** Set by `route`: otherwise the fields say. */
  class?: EventClass;
}
