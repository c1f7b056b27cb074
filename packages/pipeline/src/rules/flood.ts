/** Keeps one rule's flood from hiding or delaying what others find: a bounded number of findings a rule, the rest counted. Knows no rule. */
import type { Finding, Micros } from "@vedette/model";

/** Findings of one rule in one raw batch that are written out in full: evidence costs some 50 µs each. A batch holds some thousand events. */
export const findingsPerBatch = 50;
/** Findings of one rule in a minute of receive time: a person reads none of the later ones, and triage folds thousands a second at most. */
export const findingsPerMinute = 300;
const minute: Micros = 60_000_000;

export interface FloodState {
  readonly minute: number;
  readonly rules: readonly (readonly [rule: string, findings: number])[];
}

/** Fed in log order, and part of the checkpoint: what passes is a function of the log. */
export class FloodGuard {
  #minute = 0;
  readonly #counts = new Map<string, number>();

  /** @returns the findings that pass, and per rule how many do not */
  take(findings: readonly Finding[]): { readonly passed: readonly Finding[]; readonly capped: ReadonlyMap<string, number> } {
    const capped = new Map<string, number>();
    const passed = findings.filter(({ rule, received }) => {
      const now = Math.floor(received / minute);
      if (now > this.#minute) {
        this.#minute = now;
        this.#counts.clear();
      }
      const count = (this.#counts.get(rule.id) ?? 0) + 1;
      if (count > findingsPerMinute) {
        capped.set(rule.id, (capped.get(rule.id) ?? 0) + 1);
        return false;
      }
      this.#counts.set(rule.id, count);
      return true;
    });
    return { passed, capped };
  }

  state(): FloodState {
    return { minute: this.#minute, rules: [...this.#counts] };
  }
  restore(state: FloodState): void {
    this.#minute = state.minute;
    this.#counts.clear();
    for (const [rule, count] of state.rules) this.#counts.set(rule, count);
  }
}
