/** What a backtest is asked for, from what a person typed. */
const day_ms = 86_400_000;

export interface Typed {
  readonly ids: string;
  readonly text: string;
  readonly days: number;
}

export function backtestBody({ ids, text, days }: Typed, now_ms: number) {
  const named = ids.split(/[\s,]+/).filter((one) => one !== "");
  return {
    ids: [...new Set(named)],
    rules: text.trim() === "" ? [] : [{ file: "typed.yml", text }],
    from: new Date(now_ms - days * day_ms).toISOString(),
    to: new Date(now_ms).toISOString(),
  };
}
