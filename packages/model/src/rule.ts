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
  readonly what: "start" | "reload" | "apply" | "state" | "rollback" | "quarantine" | "enrichment" | "pipelines";
  readonly by: string;
  readonly at: Micros;
  readonly reason: string;
  /** The pack applied, the rule whose state changed, or the tables or pipelines that did. */
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

/** What one rule would come to, by a backtest over the newest stored events. */
export interface RuleEstimate {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly matched: number;
  readonly alerts_per_day: number;
  /** There would be more alerts than that: more than are told apart. */
  readonly at_least?: true;
  /** Of one core for each event that comes in, whether the rule looks at it or not. */
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

/** A rule as people see it. */
export interface RuleLine {
  readonly id: string;
  readonly title: string;
  readonly level: string;
  /** Sigma's own: stable, test, experimental. */
  readonly status: string;
  readonly author: string;
  readonly state: RuleState;
  readonly file: string;
  readonly pack?: string;
  readonly reason?: string;
  readonly attack: readonly string[];
  readonly seen: number;
  readonly matched: number;
  /** Matches of which no finding was written: the rule told enough already. */
  readonly capped: number;
  readonly skipped: { readonly [reason: string]: number };
  /** Milliseconds its evaluations took since this start, all threads. */
  readonly cost_ms: number;
  /** `changed`: its content is not what was decided on. */
  readonly decision?: Omit<Decision, "state"> & { readonly changed: boolean };
  /** Fields that no event is known to carry, with the nearest that one is: what it waits for may never come. Absent where there are none. */
  readonly unknown_fields?: readonly string[];
  /** In shadow only: what is missing before a promotion is proposed; empty: proposed. */
  readonly missing?: readonly string[];
}

/** One version of the running rules, as people see it. */
export interface RuleVersion extends Omit<RuleChange, "what" | "retracted"> {
  readonly number: number;
  readonly program: string;
  readonly rules: number;
  readonly what: string;
  readonly current: boolean;
}

/** What a pack's release says of itself. */
export interface ReleaseHead {
  /** SHA-256 over pack, origin and every file's name and content, hexadecimal. */
  readonly hash: string;
  readonly pack: string;
  readonly origin: string;
  readonly at: Micros;
  /** Text of the licence that came with it, at most 64 KiB: kept with the rules, as the Detection Rule License asks. */
  readonly licence?: string;
  readonly files: number;
}
/** Rules as they come in. */
export interface NewRelease extends Pick<ReleaseHead, "pack" | "origin" | "licence"> {
  readonly rules: readonly { readonly file: string; readonly text: string }[];
}

/** A change of the rules as people ask for it; releases by their hash. */
export type RuleWish =
  /** The files that the configuration names, read again. */
  | { readonly kind: "reload" }
  /** Puts a release in the place of what its pack had. */
  | { readonly kind: "apply"; readonly release: string; readonly state: DecidedState; readonly owner?: string; readonly review?: string }
  | { readonly kind: "remove"; readonly pack: string };
/** Who asks for a change. */
export type Requester = Pick<Decision, "by" | "reason">;
/** What the requester insists on. */
export interface Consent {
  /** Puts the rest in force where rules are refused. */
  readonly without_refused?: boolean;
  /** Past the gate. */
  readonly force?: boolean;
  /** Although coverage gets less. */
  readonly yes?: boolean;
}
/** `blocked` says what stands in the way and how to insist, and the old set goes on; empty when the change was made. */
export interface Applied {
  readonly version: number;
  readonly blocked: readonly string[];
  readonly plan: RulePlan;
}
/** What whoever reads an alert is told by what raised it; empty where that says nothing. */
export interface RuleGuidance {
  /** What it finds, and why that matters. */
  readonly description: string;
  /** How far the rule is trusted: Sigma's status, of a detector its stability. */
  readonly status: string;
  /** What to look at first, and what to do when it is true. */
  readonly response: readonly string[];
  /** Harmless things that look the same. */
  readonly falsepositives: readonly string[];
  readonly references: readonly string[];
}
