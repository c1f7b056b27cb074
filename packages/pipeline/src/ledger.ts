/** The loss ledger: per source `in + split = stored + dead + dropped + pending`, per rule `seen = matched + not matched`. Fed in log order. */
import type { LedgerLine } from "@vedette/model";
import type { RefusedEvent, SourceSeries } from "@vedette/store";
import type { Analysis, SourceDelta } from "./analysis.ts";

export interface LedgerState {
  readonly sources: { readonly [source: string]: SourceDelta };
  readonly rules: { readonly [rule: string]: readonly [seen: number, matched: number] };
  /** Matches beyond what one rule may tell, by rule. */
  readonly capped?: { readonly [rule: string]: number };
  /** Raw batches that no longer read. */
  readonly damaged: number;
}

/** Pass 1 calls every sample stored; the series store, which alone knows a series' samples so far, says which of them it did not keep. */
export function withSeries(lines: readonly LedgerLine[], series: readonly SourceSeries[]): readonly LedgerLine[] {
  const left = new Map(series.map((one) => [one.source, one]));
  return lines.map((line) => {
    const { repeated = 0, refused: all = 0, refused_beside = 0 } = left.get(line.name) ?? {};
    const refused = all - refused_beside;
    if (repeated + refused === 0) return line;
    const dropped = { ...line.dropped, ...(repeated > 0 && { repeated_sample: repeated }), ...(refused > 0 && { series_limit: refused }) };
    return { ...line, stored: line.stored - repeated - refused, dropped };
  });
}

export class Ledger {
  readonly sources = new Map<string, SourceDelta>();
  readonly rules = new Map<string, [seen: number, matched: number]>();
  /** Matches of which no finding was written, by rule: it told enough already. */
  readonly capped = new Map<string, number>();
  damaged = 0;

  add(analysis: Pick<Analysis, "sources" | "rules" | "capped" | "damaged">): void {
    for (const [name, d] of Object.entries(analysis.sources)) {
      const total = this.#source(name);
      total.in += d.in;
      total.split += d.split;
      total.stored += d.stored;
      total.dead += d.dead;
      for (const [reason, n] of Object.entries(d.dropped)) total.dropped[reason] = (total.dropped[reason] ?? 0) + n;
    }
    for (const [id, [seen, matched]] of Object.entries(analysis.rules)) {
      const total = this.rules.get(id);
      if (total) {
        total[0] += seen;
        total[1] += matched;
      } else this.rules.set(id, [seen, matched]);
    }
    for (const [id, n] of Object.entries(analysis.capped)) this.addCapped(id, n);
    this.damaged += analysis.damaged.length;
  }

  /** What pass 1 called stored and the event store will never take: dead after all. */
  refuse(refused: readonly RefusedEvent[]): void {
    for (const { event } of refused) {
      const total = this.#source(event.source);
      total.stored--;
      total.dead++;
    }
  }

  addCapped(rule: string, n: number): void {
    this.capped.set(rule, (this.capped.get(rule) ?? 0) + n);
  }

  /** @param accepted records appended to the log per source, from the log's own counters */
  lines(accepted: ReadonlyMap<string, number>): readonly LedgerLine[] {
    const names = new Set([...this.sources.keys(), ...[...accepted.keys()]]);
    return [...names].sort().map((name) => {
      const d = this.sources.get(name) ?? { in: 0, split: 0, stored: 0, dead: 0, dropped: {} };
      const all = Math.max(accepted.get(name) ?? 0, d.in);
      const dropped = Object.values(d.dropped).reduce((a, b) => a + b, 0);
      const pending = all - d.in;
      return { name, ...d, in: all, pending, balance: all + d.split - d.stored - d.dead - dropped - pending };
    });
  }

  state(): LedgerState {
    return {
      sources: Object.fromEntries(this.sources),
      rules: Object.fromEntries(this.rules),
      capped: Object.fromEntries(this.capped),
      damaged: this.damaged,
    };
  }
  restore(state: LedgerState): void {
    for (const [name, d] of Object.entries(state.sources)) this.sources.set(name, { ...d, dropped: { ...d.dropped } });
    for (const [id, [seen, matched]] of Object.entries(state.rules)) this.rules.set(id, [seen, matched]);
    for (const [id, n] of Object.entries(state.capped ?? {})) this.capped.set(id, n);
    this.damaged = state.damaged;
  }

  /** Adds what another partition of the log came to. */
  merge(state: LedgerState): void {
    this.add({ sources: state.sources, rules: state.rules, capped: state.capped ?? {}, damaged: [] });
    this.damaged += state.damaged;
  }

  copy(): Ledger {
    const copy = new Ledger();
    copy.restore(this.state());
    return copy;
  }

  #source(name: string): SourceDelta {
    let d = this.sources.get(name);
    if (!d) {
      d = { in: 0, split: 0, stored: 0, dead: 0, dropped: {} };
      this.sources.set(name, d);
    }
    return d;
  }
}
