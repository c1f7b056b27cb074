/** What event pipelines would do to events that are stored already. Changes nothing. */
import { compileEventPipelines, type Draft, type Pseudonyms } from "@vedette/enrich";
import { newFields } from "@vedette/kit";
import type { Event, Fields, PipelinePreview } from "@vedette/model";
import { formatRefusal } from "@vedette/sigma";
import type { ProgramFile } from "../program.ts";

/** Enough to see what a step does, little enough to read. */
const maxExamples = 5;
type Example = PipelinePreview["examples"][number];

/** Of every step that drops, and of events that change, the first few are shown. */
export function preview(
  files: readonly ProgramFile[],
  events: readonly Event[],
  pseudonyms: Pseudonyms | undefined,
): Omit<PipelinePreview, "losses"> {
  const pipelines = compileEventPipelines(files, pseudonyms);
  const dropped: { [reason: string]: number } = {};
  const examples: Example[] = [];
  let changed = 0;
  let shown = 0;
  for (const event of events) {
    const draft: Draft = { id: event.id, time: event.time, fields: Object.assign(newFields(), event.fields), original: event.original };
    const reason = pipelines.apply(draft);
    if (reason !== undefined) {
      dropped[reason] = (dropped[reason] ?? 0) + 1;
      if (dropped[reason]! <= maxExamples) examples.push({ ...headOf(event), dropped: reason, before: event.fields, after: {} });
      continue;
    }
    const example = difference(event, draft);
    if (example === undefined) continue;
    changed++;
    if (shown++ < maxExamples) examples.push(example);
  }
  const times = events.map(({ time }) => time);
  return {
    events: events.length,
    ...(times.length === 0 ? {} : { from: Math.min(...times), to: Math.max(...times) }),
    dropped,
    changed,
    examples,
    refused: pipelines.refused.map(formatRefusal),
  };
}

const headOf = ({ id, time, source }: Event) => ({ id, time, source });

function difference(event: Event, draft: Draft): Example | undefined {
  const before: Fields = newFields();
  const after: Fields = newFields();
  for (const name of new Set([...Object.keys(event.fields), ...Object.keys(draft.fields)])) {
    if (JSON.stringify(event.fields[name]) === JSON.stringify(draft.fields[name])) continue;
    if (event.fields[name] !== undefined) before[name] = event.fields[name];
    if (draft.fields[name] !== undefined) after[name] = draft.fields[name];
  }
  const original = draft.original === event.original ? {} : { original: [event.original, draft.original] as const };
  const kept = draft.class === undefined || draft.class === event.class ? {} : { class: [event.class, draft.class] as const };
  const none = Object.keys(before).length + Object.keys(after).length + Object.keys(original).length + Object.keys(kept).length === 0;
  return none ? undefined : { ...headOf(event), before, after, ...original, ...kept };
}
