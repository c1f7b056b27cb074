/** The life of a rule: its states, who decided on them, and what a new set of rules would change. Types only. */
import type { Micros } from "./event.ts";
import type { Severity } from "./finding.ts";

/** `shadow`: judged and counted, its findings kept apart. `quarantined`: not judged. `refused`: could not be loaded. */
export type RuleState = "shadow" | "enabled" | "quarantined" | "refused";
/** The states that somebody can decide on. */
export type DecidedState = Exclude<RuleState, "refused">;

/** Who decided what, when and why. */
export interface Decision {
  readonly state: DecidedState;
  readonly by: string;
  readonly at: Micros;
  readonly reason: string;
  readonly owner?: string;
  /** Day on which somebody should look at it again, `2026-12-31`. */
  readonly review?: string;
}

/** A decision on one rule; `hash` is its content when it was decided. */
export interface RuleDecision extends Decision {
  readonly hash: string;
}

/** Rules that came in together and are replaced together; its state is that of its rules nobody decided on by themselves. */
export interface Pack extends Decision {
  /** Content hash of the release in force. */
  readonly release: string;
  /** Where it came from, e.g. `https://… at 8eaafff` or `./my-rules`. */
  readonly origin: string;
}

/** Which rules are on: everything else about them is in their files. */
export interface RuleOverlay {
  readonly packs: { readonly [name: string]: Pack };
  /** By rule id. */
  readonly rules: { readonly [id: string]: RuleDecision };
}

/** What made one version of the running rules. Kept for ever in the control topic. */
export interface RuleChange {
  readonly what: "start" | "reload" | "apply" | "state" | "rollback" | "quarantine";
  readonly by: string;
  readonly at: Micros;
  readonly reason: string;
  /** The pack applied, or the rule whose state changed. */
  readonly subject?: string;
  /** The version gone back to. */
  readonly to?: number;
  /** Findings taken back: those of these programs by these rules (id, content hash). */
  readonly retracted?: { readonly programs: readonly string[]; readonly rules: readonly (readonly [id: string, hash: string])[] };
}

/** One rule that a new set adds, changes or removes. */
export interface RuleDifference {
  readonly id: string;
  readonly title: string;
  readonly level: Severity;
  readonly file: string;
  /** `rewritten`: other words, the same meaning. */
  readonly what: "added" | "changed" | "rewritten" | "removed";
  readonly state: DecidedState;
  /** What it means, a line a difference: `level: medium → high`, `selection: + process.name = x`. */
  readonly details: readonly string[];
}

/** What one rule would come to, by the newest stored events. */
export interface RuleEstimate {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly matched: number;
  readonly per_day: number;
  readonly cost_us: number;
  /** Why the gate holds it back. */
  readonly held?: string;
}

/** What a new set of rules would do, before it does it. */
export interface RulePlan {
  /** Hash of the program it would become. */
  readonly program: string;
  readonly differences: readonly RuleDifference[];
  /** `file:line:column: title: why`. */
  readonly refused: readonly string[];
  /** Loaded but not used, and why: a local file has the same id. */
  readonly notes: readonly string[];
  readonly coverage: {
    readonly enabled: readonly [before: number, after: number];
    /** ATT&CK techniques that enabled rules speak of. */
    readonly gained: readonly string[];
    readonly lost: readonly string[];
    /** Enabled rules that would no longer be. */
    readonly rules_lost: readonly string[];
  };
  readonly gate: {
    readonly events: number;
    /** Event time these events span, seconds. */
    readonly span_s: number;
    readonly estimates: readonly RuleEstimate[];
  };
}
