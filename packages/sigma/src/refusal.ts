/** Why a rule or pipeline cannot be used, said so that its author can repair it; knows nothing of Sigma's constructs themselves. */

/** One rule (or document, or pipeline) that was not accepted. Lines and columns count from 1. */
export interface Refusal {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Title of the rule, else its id, else which document of the file it is. */
  readonly title: string;
  readonly id?: string;
  /** The construct that cannot be used, as it is written. */
  readonly construct: string;
  /** What would have been accepted there. */
  readonly expected: string;
  readonly suggestion: string;
  /** The three in one sentence. */
  readonly message: string;
}

/** What is wrong, without its place. */
export interface Reason {
  readonly construct: string;
  readonly expected: string;
  readonly suggestion: string;
}

/** Where and in what it is wrong. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly title: string;
  readonly id?: string;
}

export function refusal(place: Place, { construct, expected, suggestion }: Reason): Refusal {
  return { ...place, construct, expected, suggestion, message: `${construct}: expected ${expected}; ${suggestion}` };
}

/** Unwinds the reading of one document; caught at its edge and turned into a `Refusal`. */
export class Refused extends Error implements Reason {
  readonly construct: string;
  readonly expected: string;
  readonly suggestion: string;
  /** Offset into the file's text. */
  readonly at: number;

  constructor(at: number, construct: string, expected: string, suggestion: string) {
    super(`${construct}: expected ${expected}`);
    this.at = at;
    this.construct = clip(construct);
    this.expected = expected;
    this.suggestion = suggestion;
  }
}

/** `file:line:column: title: message`: the one-line form for logs and terminals. */
export function formatRefusal(r: Refusal): string {
  return `${r.file}:${r.line}:${r.column}: ${r.title}: ${r.message}`;
}

/** A construct is quoted in messages and kept in lists; 120 characters show which one it is. */
function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** The known word nearest to a misspelt one, or undefined when none is near (a third of its letters wrong, at most three). */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.max(1, Math.floor(word.length / 3))) + 1;
  if (word.length > 64) return undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) {
      bestDistance = d;
      best = candidate;
    }
  }
  return best;
}

/** Edits between two short words (Levenshtein). */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
