/** The ledger with what each source is doing now. Counts nothing itself. */
import type { LedgerLine, Micros, SourceState } from "@vedette/model";
import type { Intakes } from "./intakes.ts";
import type { Rates } from "./rates.ts";
import type { SourceRunner } from "./source_runner.ts";

/** The source of the bundled scenario. */
export const demoSource = "demo";
/** A source that has sent nothing for this long is shown as idle. */
const idleAfter: Micros = 60_000_000;

/** Senders over HTTP appear once they have sent something. */
export function sourceStates(
  ledger: readonly LedgerLine[],
  { running }: SourceRunner,
  intakes: Intakes,
  rates: Rates,
  now: Micros,
): readonly SourceState[] {
  const lines = new Map(ledger.map((line) => [line.name, line]));
  const status = new Map(intakes.status().map((one) => [one.name, one]));
  return [...new Set([...running.keys(), ...lines.keys()])].sort().map((name) => {
    const source = running.get(name);
    const lastReceived = status.get(name)?.lastReceived;
    const quiet = lastReceived === undefined || now - lastReceived > idleAfter;
    return {
      type: source?.type ?? (name === demoSource ? "demo" : "http"),
      state: source && source.state !== "running" ? source.state : quiet ? "idle" : "running",
      ...(lines.get(name) ?? { name, in: 0, split: 0, stored: 0, dead: 0, dropped: {}, pending: 0 }),
      ...(lastReceived === undefined ? {} : { lastReceived }),
      rate: rates.of(name),
      warnings: source?.warnings ?? [],
    };
  });
}
