/** An alert without what it quotes of events that are to be forgotten. Knows no store and no reason. */
import type { Alert, EvidenceEvent, Micros } from "@vedette/model";

/** What stands in place of what was erased. */
export const erasedText = "(erased)";

const isErased = ({ original, fields }: EvidenceEvent): boolean => original === erasedText && Object.keys(fields).length === 0;

/** @returns undefined where nothing of its evidence is to go */
export function erasedAlert(alert: Alert, isGone: (evidence: EvidenceEvent) => boolean, at: Micros, why: string): Alert | undefined {
  const gone = alert.evidence.filter((one) => !isErased(one) && isGone(one));
  if (gone.length === 0) return undefined;
  const left = alert.evidence.filter((one) => !gone.includes(one) && !isErased(one));
  const entities = alert.entities.filter((entity) => left.some((one) => names(one, entity)) || !gone.some((one) => names(one, entity)));
  // people are quoted by what their events named, which also stands in texts
  const words = alert.entities.filter((entity) => !entities.includes(entity)).map(({ id }) => id);
  const quotes = (text: string) => words.some((word) => text.includes(word));
  const history = alert.history.map((one) => (one.note !== undefined && quotes(one.note) ? { ...one, note: erasedText } : one));
  return {
    ...alert,
    title: quotes(alert.title) ? alert.rule.title : alert.title,
    summary: quotes(alert.summary) ? alert.rule.title : alert.summary,
    entities,
    evidence: alert.evidence.map((one) => (gone.includes(one) ? { ...one, original: erasedText, fields: {}, matches: [] } : one)),
    updated: Math.max(at, alert.updated + 1),
    history: [...history, { at, by: "vedette", what: "note", note: why }],
  };
}

function names({ fields, source }: EvidenceEvent, { type, id }: Alert["entities"][number]): boolean {
  if (type === "source") return source === id;
  const value = fields[type];
  return value !== undefined && (value === id || value.split(",").includes(id));
}
