/** What is not all right with the data, each with its cause in words and what to do. Pure; what is judged wrong is the server's to say. */
import type { Quality, SourceQuality } from "../api/data.ts";
import { formatCount } from "../format/number.ts";
import { formatDuration } from "../format/time.ts";

export interface Trouble {
  readonly tone: "bad" | "warn";
  /** A source, a host, or the hosts together. */
  readonly about: string;
  readonly what: string;
  readonly fix: string;
  /** When it was last all right, or since when it is not. */
  readonly since?: string;
}

const hour_s = 3_600;
/** A clock that is off by whole hours, give or take what clocks drift, has the wrong zone. */
const zone_slack_s = 120;

export function troubleOf(source: SourceQuality): readonly Trouble[] {
  const { name, state, last, silence_allowed_s, formats, drift, unknown_fields } = source;
  const found: Trouble[] = [];
  if (state === "silent") {
    const allowed = silence_allowed_s === undefined ? "" : `; it may be silent for ${formatDuration(silence_allowed_s * 1_000)}`;
    const fix = "See whether its sender runs and may connect. A pause that is planned belongs in quality.maintenance.";
    found.push({ tone: "bad", about: name, what: `Silent${allowed}`, since: last, fix });
  }
  for (const { format, records, flaws, failing } of formats) {
    if (!failing) continue;
    const what = `${formatCount(flaws)} of ${formatCount(records)} records cannot be read as ${format}`;
    const fix = "Look at its dead letters and at what changed at the sender; if the format changed, configure the source's format.";
    found.push({ tone: "bad", about: name, what, fix });
  }
  for (const { kind, appeared, vanished, at } of drift) {
    const gone = vanished.length > 0 ? [`gone: ${vanished.join(", ")}`] : [];
    const come = appeared.length > 0 ? [`new: ${appeared.join(", ")}`] : [];
    const fix =
      "Rules that ask for a field that is gone find nothing. See what changed at the sender: an update, its configuration, a mapping.";
    found.push({ tone: "warn", about: name, what: `The fields of ${kind} changed; ${[...gone, ...come].join("; ")}`, since: at, fix });
  }
  if (unknown_fields.length > 0) {
    const what = `Fields that no rule can know: ${unknown_fields.map(({ field }) => field).join(", ")}`;
    found.push({ tone: "warn", about: name, what, fix: "Give them ECS names by a field mapping, or by the rename step of a pipeline." });
  }
  return found;
}

export function troubles({ sources, hosts }: Quality): readonly Trouble[] {
  return [
    ...sources.flatMap(troubleOf),
    ...hosts.silent.map(({ name, last }): Trouble => {
      const fix = "See whether it runs and sends. A pause that is planned belongs in quality.maintenance.";
      return { tone: "warn", about: name, what: "The host is silent", fix, ...(last !== undefined && { since: last }) };
    }),
    ...hosts.clocks.map(({ host, source, lead_s }): Trouble => {
      const way = lead_s > 0 ? "ahead of" : "behind";
      const off_s = Math.abs(lead_s);
      const whole = off_s > hour_s / 2 && Math.abs(off_s - Math.round(off_s / hour_s) * hour_s) < zone_slack_s;
      const fix = whole ? "Whole hours: its time zone is wrong, or its records do not name one." : "Set up NTP on it.";
      return { tone: "warn", about: host, what: `Its clock is ${formatDuration(off_s * 1_000)} ${way} ours, seen through ${source}`, fix };
    }),
  ];
}
