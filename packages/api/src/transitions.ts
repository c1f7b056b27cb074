/** What a person may do with an alert, and what becomes of it. Pure; knows no store and no request. */
import type { Alert, Change, Micros, Verdict } from "@vedette/model";

export type Transition =
  | { readonly ok: true; readonly alert: Alert }
  | { readonly ok: false; readonly code: "conflict"; readonly message: string };

/** Longest note, in characters. */
export const maxNote = 4_000;
/** Entries of an alert's history; a person needs dozens, a script in a loop must not fill the store. */
const maxHistory = 1_000;

function change(alert: Alert, next: Partial<Alert>, entry: Omit<Change, "note">, note: string | undefined): Transition {
  if (alert.history.length >= maxHistory) return refuse(`the history is full (${maxHistory} entries)`);
  return {
    ok: true,
    alert: {
      ...alert,
      ...next,
      // later than before even if the clock is not: `replace` compares it
      updated: Math.max(entry.at, alert.updated + 1),
      history: [...alert.history, note === undefined ? entry : { ...entry, note }],
    },
  };
}
const refuse = (message: string): Transition => ({ ok: false, code: "conflict", message });

/** open → acknowledged. */
export function acknowledge(alert: Alert, by: string, at: Micros, note?: string): Transition {
  if (alert.state !== "open") return refuse(`the alert is ${alert.state}, not open`);
  return change(alert, { state: "acknowledged" }, { at, by, what: "acknowledged" }, note);
}

/** open or acknowledged → closed, with a verdict. */
export function close(alert: Alert, by: string, at: Micros, verdict: Verdict, note?: string): Transition {
  if (alert.state === "closed") return refuse("the alert is closed already");
  return change(alert, { state: "closed", verdict }, { at, by, what: "closed", verdict }, note);
}

/** closed → open; the verdict goes, the history keeps it. */
export function reopen(alert: Alert, by: string, at: Micros, note?: string): Transition {
  if (alert.state !== "closed") return refuse(`the alert is ${alert.state}, not closed`);
  const { verdict: _, ...rest } = alert;
  return change(rest, { state: "open" }, { at, by, what: "reopened" }, note);
}

/** Adds a note in any state. */
export function addNote(alert: Alert, by: string, at: Micros, note: string): Transition {
  return change(alert, {}, { at, by, what: "note" }, note);
}
