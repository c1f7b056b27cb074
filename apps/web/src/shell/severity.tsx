/** Severity and state as icon and word, never as colour alone. */
import type { AlertState, Severity as Level, Verdict } from "../api/types.ts";

/** Each level has a shape of its own: octagon, triangle, diamond, chevron, circle. */
const shapes: { readonly [level in Level]: string } = {
  critical: "M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7zM7 3v6h2V3zM7 10.8v2.2h2v-2.2z",
  high: "M8 1.5 15.2 14.5H.8z",
  medium: "M8 .8 15.2 8 8 15.2.8 8z",
  low: "M1.5 4.5h13L8 13.5z",
  informational: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM8 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8z",
};

const words: { readonly [level in Level]: string } = {
  critical: "Critical",
  high: "High",
  medium: "Medium",
  low: "Low",
  informational: "Info",
};

export function SeverityIcon({ level, size = 13 }: { readonly level: Level; readonly size?: number }) {
  return (
    <svg className={`severity-icon severity-${level}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={shapes[level] ?? shapes.informational} />
    </svg>
  );
}

export function Severity({ level }: { readonly level: Level }) {
  return (
    <span className={`severity severity-${level}`}>
      <SeverityIcon level={level} />
      {words[level] ?? level}
    </span>
  );
}

export const state_words: { readonly [state in AlertState]: string } = { open: "Open", acknowledged: "Acknowledged", closed: "Closed" };
export const verdict_words: { readonly [verdict in Verdict]: string } = {
  true_positive: "True positive",
  benign: "Benign",
  false_positive: "False positive",
};

/** A round mark with a word: filled, half and hollow tell the states apart without colour. */
export function Mark({ tone, children }: { readonly tone: "good" | "warn" | "bad" | "busy" | "quiet"; readonly children: string }) {
  return <span className={`mark mark-${tone}`}>{children.charAt(0).toUpperCase() + children.slice(1)}</span>;
}

export function StateMark({ state, verdict }: { readonly state: AlertState; readonly verdict?: Verdict | undefined }) {
  const tone = state === "open" ? "warn" : state === "acknowledged" ? "busy" : "quiet";
  return (
    <span className="state-cell">
      <Mark tone={tone}>{state_words[state] ?? state}</Mark>
      {verdict !== undefined && <span className="dim small">{verdict_words[verdict] ?? verdict}</span>}
    </span>
  );
}
