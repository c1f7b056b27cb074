/**
 * Which rules and detectors would lose their data to event pipelines: those of which no positive case, or where there is none no event made up
 * from the conditions, comes through as something they still match. Sends nothing anywhere.
 */
import { compile, parseQuery } from "@vedette/condition";
import { detectors } from "@vedette/detect";
import { compileEventPipelines, type Draft, type EventPipelines } from "@vedette/enrich";
import { type DetectorSpec, type FormatSpec, newFields } from "@vedette/kit";
import type { DataLoss, Event, Fields } from "@vedette/model";
import { synthesise } from "@vedette/sigma";
import { Analyser, compileProgram } from "../analyse.ts";
import { batchOf, casesOf } from "../canary/plan.ts";
import { makeProgram, own, type Program, type ProgramFile } from "../program.ts";
import { type Catalogue, catalogueOf } from "../rules/catalogue.ts";

/** Of a rule with more cases the first few tell enough. */
const maxEvents = 16;

type Judged = Pick<Event, "fields" | "original" | "time">;

/** For whoever has no catalogue yet. */
export const lossesOf = (
  files: readonly ProgramFile[],
  program: Program,
  formats: ReadonlyMap<string, FormatSpec>,
): Promise<readonly DataLoss[]> => dataLosses(files, catalogueOf(program), program.detectors, formats);

export async function dataLosses(
  files: readonly ProgramFile[],
  catalogue: Catalogue,
  detecting: Program["detectors"],
  formats: ReadonlyMap<string, FormatSpec>,
): Promise<readonly DataLoss[]> {
  const pipelines = compileEventPipelines(files, undefined, { worst: true });
  if (pipelines.documents.length === 0) return [];
  const decode = await decoder(formats);
  const losses: DataLoss[] = [];
  for (const [id, { rule, state, number }] of catalogue.entries) {
    if (state === "quarantined" || number === undefined) continue;
    const test = (event: Judged) => catalogue.set.test(number, event);
    const how = lossOf(eventsOf(rule.vedette?.tests, number, catalogue, decode).filter(test), test, pipelines);
    if (how !== undefined) losses.push({ id, title: rule.title, how });
  }
  for (const [name, spec] of await detectors()) {
    const settings = own(detecting, name);
    const how = settings === false ? undefined : detectorLoss(spec, settings, pipelines);
    if (how !== undefined) losses.push({ id: name, title: spec.title, how });
  }
  return losses;
}

/** Why none of the events is what it was; undefined while one is. */
function lossOf(events: readonly Judged[], test: (event: Judged) => boolean, pipelines: EventPipelines): string | undefined {
  let how: string | undefined;
  for (const [i, { fields, original, time }] of events.entries()) {
    const draft: Draft = { id: `case-${i}`, time, fields: Object.assign(newFields(), structuredClone({ ...fields })), original };
    const dropped = pipelines.apply(draft);
    if (dropped === undefined && test(draft)) return undefined;
    how ??= dropped ?? "changed";
  }
  return how;
}

type Decode = (tests: unknown) => readonly Judged[];

/** A rule's positive cases as the events that they become, decoders included. */
async function decoder(formats: ReadonlyMap<string, FormatSpec>): Promise<Decode> {
  const analyser = new Analyser(formats);
  const nothing = await compileProgram(makeProgram({ rules: [], pipelines: [], detectors: allOff(await detectors()), lateness_s: 0 }, 0));
  return (tests) =>
    casesOf(tests, formats, []).flatMap((one) => {
      const entries = [{ offset: 0, bytes: batchOf(one, nothing.program.hash) }];
      return analyser.analyse({ entries, sample: true, store: false }, nothing).sample;
    });
}

const allOff = (all: ReadonlyMap<string, DetectorSpec>) => Object.fromEntries([...all.keys()].map((name) => [name, false]));

function eventsOf(tests: unknown, number: number, { set }: Catalogue, decode: Decode): readonly Judged[] {
  const cases = decode(tests).filter((event) => set.test(number, event));
  if (cases.length > 0) return cases.slice(0, maxEvents);
  for (const fields of synthesise(set.conditionOf(number))) {
    const event = { fields: Object.assign(newFields(), fields) as Fields, original: "", time: 0 };
    if (set.test(number, event)) return [event];
  }
  return [];
}

/** By the examples that the detector finds something in. */
function detectorLoss(spec: DetectorSpec, settings: unknown, pipelines: EventPipelines): string | undefined {
  const where = parseQuery(spec.where);
  if (spec.where === "" || !where.ok) return undefined;
  const parsed = spec.config.safeParse(settings ?? {});
  if (!parsed.success) return undefined;
  const concerned = compile(where.query.where);
  const test = (event: Judged) => concerned(event) && spec.key(event.fields, parsed.data) !== undefined;
  const examples = spec.examples.filter(({ finds }) => finds.length > 0).flatMap(({ events }) => events);
  const events = examples.map(({ time, fields }) => ({ time, fields: Object.assign(newFields(), fields), original: "" })).filter(test);
  return lossOf(events.slice(0, maxEvents), test, pipelines);
}
