/** What `doctor` says of data on its way in and out: sources' quality, hosts, sinks. Knows only the API. */
import type { Answered, Operation, Quality } from "@vedette/client";
import type { Server } from "../client.ts";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly advice?: string;
}
type Sink = Answered<Operation<"get", "/sinks">>["sinks"][number];

/** Names told of a long list. */
const told = 5;
const some = (names: readonly string[]): string =>
  `${names.slice(0, told).join(", ")}${names.length > told ? ` and ${names.length - told} more` : ""}`;

export async function dataChecks(client: Server): Promise<readonly Check[]> {
  const quality = await client.get("/sources/quality");
  const { sinks } = await client.get("/sinks");
  return [...quality.sources.map(sourceCheck), ...hostChecks(quality.hosts), ...sinks.map(sinkCheck)];
}

function sourceCheck({ name, state, last, formats, unknown_fields, drift }: Quality["sources"][number]): Check {
  const trouble = [
    ...(state === "silent" ? [`silent since ${last}`] : []),
    ...formats.flatMap((f) => (f.failing ? [`${f.flaws} of ${f.records} records cannot be read as ${f.format}`] : [])),
    ...drift.map((d) => `${d.kind}: ${[...d.vanished.map((f) => `-${f}`), ...d.appeared.map((f) => `+${f}`)].slice(0, told).join(" ")}`),
  ];
  const unknown = unknown_fields.length > 0 ? [`fields that no rule can know: ${some(unknown_fields.map(({ field }) => field))}`] : [];
  return {
    name: `data of ${name}`,
    ok: trouble.length === 0,
    detail: [...(trouble.length === 0 ? [state] : trouble), ...unknown].join("; "),
    advice:
      state === "silent" ? "see whether its sender runs and may connect" : "look at its dead letters, and at what changed at the sender",
  };
}

function hostChecks({ known, silent, clocks }: Quality["hosts"]): Check[] {
  if (known === 0 && silent.length === 0) return [];
  return [
    {
      name: "hosts",
      ok: silent.length === 0,
      detail: silent.length === 0 ? `${known} heard of` : `${silent.length} silent: ${some(silent.map(({ name }) => name))}`,
      advice: "see whether they run and send; quality.maintenance says when they need not",
    },
    {
      name: "clocks",
      ok: clocks.length === 0,
      detail: clocks.length === 0 ? "none is wrong" : some(clocks.map(({ host, lead_s }) => `${host} by ${Math.round(lead_s)} s`)),
      advice: "set up NTP there; a time zone is wrong where it is whole hours",
    },
  ];
}

function sinkCheck({ name, type, state, sent, pending, missed, refused, problem }: Sink): Check {
  const lost = Object.values(refused).reduce((sum, n) => sum + n, 0);
  const detail = [
    `${state}, ${sent} sent, ${pending} pending`,
    ...(lost > 0 ? [`${lost} refused`] : []),
    ...(missed > 0 ? [`${missed} batches dropped before they were sent`] : []),
    ...(problem === undefined ? [] : [problem]),
  ].join("; ");
  return { name: `sink ${name} (${type})`, ok: problem === undefined && missed === 0, detail, advice: `vedette sink test ${name}` };
}
