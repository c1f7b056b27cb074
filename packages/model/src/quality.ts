/** How well data comes in, as people see it. Types only. */
import type { Micros } from "./event.ts";

export interface SourceQuality {
  readonly name: string;
  /** `learning` until it is known what pauses are usual. */
  readonly state: "ok" | "silent" | "maintenance" | "learning";
  readonly last: Micros;
  /** How long it may be silent. */
  readonly silence_allowed?: Micros;
  /** Of the last five to ten minutes. */
  readonly formats: readonly { readonly format: string; readonly records: number; readonly flaws: number; readonly failing: boolean }[];
  /** Fields that no event is known to carry, with how many samples of this hour had each. */
  readonly unknown_fields: readonly { readonly field: string; readonly sampled: number }[];
  /** Kinds of events whose fields differ from the last day's. */
  readonly drift: readonly {
    readonly kind: string;
    readonly appeared: readonly string[];
    readonly vanished: readonly string[];
    readonly at: Micros;
  }[];
}

export interface QualityReport {
  /** The last tick it rests on; 0 before the first. */
  readonly at: Micros;
  readonly sources: readonly SourceQuality[];
  readonly hosts: {
    readonly known: number;
    /** Beyond the most that are watched. */
    readonly unwatched: number;
    readonly silent: readonly { readonly name: string; readonly last: Micros }[];
    /** Hosts whose clocks are wrong, and by how much they lead ours. */
    readonly clocks: readonly { readonly host: string; readonly source: string; readonly lead: Micros }[];
  };
}
