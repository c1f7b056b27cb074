/**
 * Watches how well data comes in: silence, clocks, lines that do not parse, fields that drift. A fold over what pass 1 tells of each job in
 * the log's order, and over the log's ticks: the same log raises the same findings. Knows no format and no host.
 */
import type { Micros, QualityReport, SourceQuality } from "@vedette/model";
import type { Analysis } from "../analysis.ts";
import { reservedPrefix } from "../canary/mark.ts";
import type { OwnFinding } from "../own_findings.ts";
import { DriftWatch, type SavedKind } from "./drift.ts";
import { inMaintenance, type MaintenanceWindow } from "./maintenance.ts";
import { Silence } from "./silence.ts";
import type { QualityDelta } from "./tally.ts";

export interface QualityOptions {
  /** Hosts that must be heard of, whether they ever were or not. */
  readonly inventory: readonly string[];
  /** How long a host of the inventory may be silent. */
  readonly inventorySilence: Micros;
  readonly maintenance: readonly MaintenanceWindow[];
  /** Whether a field is one that events are known to carry. */
  readonly knows?: (field: string) => boolean;
}

interface Counts {
  records: number;
  flaws: number;
}
interface Format {
  now: Counts;
  before: Counts;
  /** When its lines began to fail. */
  failing?: Micros | undefined;
}
interface Clock {
  /** Most lead of this span and of those before, the newest last. */
  leads: Micros[];
  lead: Micros | undefined;
  wrong?: Micros | undefined;
}
/** A finding that stands, by what it is about: told again as withdrawn, it closes its alert. */
interface Standing {
  readonly at: Micros;
  readonly names: readonly string[];
}
type State = readonly [
  last: number,
  wall: Micros,
  sources: [string, unknown][],
  hosts: [string, unknown][],
  formats: [string, Format][],
  clocks: [string, Clock][],
  standing: [string, Standing][],
  drift: readonly SavedKind[],
  starts: readonly [resumed: Micros, begun: Micros, turned: Micros],
];

/** Figures are of this and the last span of so long. */
const span: Micros = 300_000_000;
const clockSpan: Micros = 60_000_000;
/** A tick comes each second: after so long without one we were not there. */
const away: Micros = 10_000_000;
/** A fifth of the lines not read is more than any mix of stray lines; below a twentieth it is over. */
const failing = { share: 0.2, flaws: 20, over: 0.05 } as const;
/** A clock that leads by more is wrong for certain: nothing is delivered before it happened. As far as watermarks trust clocks. */
const maxLead: Micros = 30_000_000;
/** One that lags by more, and by the same in every span, is wrong or delivers late; what catches up lags less and less. */
const maxLag: Micros = 120_000_000;
const steady: Micros = 30_000_000;
const steadySpans = 5;
const maxClocks = 20_000;
const maxFormats = 2_000;
const maxNamed = 31;

const titles = {
  vedette_source_silent: "A source is silent",
  vedette_hosts_silent: "Hosts are silent",
  vedette_parse_failures: "Many lines of a source cannot be read",
  vedette_clock_wrong: "A host's clock is wrong",
  vedette_schema_drift: "A source's fields have changed",
} as const;
type Kind = keyof typeof titles;

export class QualityWatch {
  readonly #options: QualityOptions;
  readonly #sources = new Silence();
  readonly #hosts = new Silence();
  /** Since the last tick: however the log is cut into jobs, each is one arrival. */
  readonly #heard = { sources: new Map<string, Micros>(), hosts: new Map<string, Micros>() };
  readonly #drift = new DriftWatch();
  readonly #formats = new Map<string, Format>();
  readonly #clocks = new Map<string, Clock>();
  readonly #standing = new Map<string, Standing>();
  #last = -1;
  #wall: Micros = 0;
  #begun: Micros = 0;
  #turned: Micros = 0;
  #clocksTurned: Micros = 0;

  constructor(options: QualityOptions) {
    this.#options = options;
  }

  /** @returns what is to be told, in the log's order */
  take(analysis: Analysis): readonly OwnFinding[] {
    // read again after a crash
    if (analysis.last <= this.#last) return [];
    this.#last = analysis.last;
    const found: OwnFinding[] = [];
    let stretch = 0;
    for (const step of analysis.keyed) {
      if (!("tick" in step)) continue;
      this.#listen(analysis.quality?.[stretch++]);
      found.push(...this.#tick(step.tick));
    }
    this.#listen(analysis.quality?.[stretch]);
    return found;
  }

  #listen(quality: QualityDelta | undefined): void {
    if (quality === undefined) return;
    this.#drift.add(quality, this.#wall);
    for (const { source, format, records, flaws, received } of quality.formats) {
      if (source.startsWith(reservedPrefix)) continue;
      this.#heard.sources.set(source, Math.max(received, this.#heard.sources.get(source) ?? 0));
      this.#count(source, format, records, flaws);
    }
    for (const [source, host, received, lead] of quality.hosts) {
      if (source.startsWith(reservedPrefix)) continue;
      // what was written long ago says nothing of who is alive
      if (lead > -span) this.#heard.hosts.set(host, Math.max(received, this.#heard.hosts.get(host) ?? 0));
      this.#clock(source, host, lead);
    }
  }

  #count(source: string, format: string, records: number, flaws: number): void {
    const key = `${source}\0${format}`;
    let of = this.#formats.get(key);
    if (!of) {
      if (this.#formats.size >= maxFormats) return;
      of = { now: { records: 0, flaws: 0 }, before: { records: 0, flaws: 0 } };
      this.#formats.set(key, of);
    }
    of.now.records += records;
    of.now.flaws += flaws;
  }

  #clock(source: string, host: string, lead: Micros): void {
    const key = `${source}\0${host}`;
    let of = this.#clocks.get(key);
    if (!of) {
      if (this.#clocks.size >= maxClocks) return;
      of = { leads: [], lead: undefined };
      this.#clocks.set(key, of);
    }
    of.lead = of.lead === undefined ? lead : Math.max(of.lead, lead);
  }

  #tick(wall: Micros): readonly OwnFinding[] {
    if (wall <= this.#wall) return [];
    if (this.#wall === 0 || wall - this.#wall > away) {
      this.#begun ||= wall;
      this.#sources.resumed = wall;
      this.#hosts.resumed = wall;
    }
    this.#wall = wall;
    for (const [name, at] of this.#heard.sources) this.#sources.hear(name, at);
    for (const [name, at] of this.#heard.hosts) this.#hosts.hear(name, at);
    this.#heard.sources.clear();
    this.#heard.hosts.clear();
    const found = [...this.#silences(wall), ...this.#failures(wall)];
    if (wall - this.#clocksTurned >= clockSpan) {
      this.#clocksTurned = wall;
      found.push(...this.#clocksNow(wall), ...this.#drifts(wall));
    }
    if (wall - this.#turned >= span) {
      this.#turned = wall;
      for (const of of this.#formats.values()) [of.before, of.now] = [of.now, { records: 0, flaws: 0 }];
    }
    return found;
  }

  *#silences(wall: Micros): Generator<OwnFinding> {
    const silent = new Map([...this.#sources.silent(wall)].filter(([name]) => !this.#excused(name, wall)));
    for (const [name, of] of silent)
      yield* this.#begin("vedette_source_silent", name, [name], wall, "high", () => [
        `${name} has sent nothing for ${seconds(wall - of.last)}; its longest pause in a day was ${seconds(Math.max(...of.longest))}`,
        [{ type: "vedette.source", id: name }],
      ]);
    yield* this.#endOthers("vedette_source_silent", wall, (names) => names.some((name) => silent.has(name)));
    // where every source is silent, that is what there is to say
    const quiet = this.#sources.heard.size > 0 && silent.size === this.#sources.heard.size;
    const missing = quiet ? new Set<string>() : this.#missing(wall);
    const told = new Set([...this.#standing].flatMap(([key, { names }]) => (key.startsWith("vedette_hosts_silent\0") ? names : [])));
    const fresh = [...missing].filter((name) => !told.has(name)).sort();
    if (fresh.length > 0)
      yield* this.#begin("vedette_hosts_silent", `${wall}`, fresh, wall, "medium", () => [
        `${missing.size} ${missing.size === 1 ? "host is" : "hosts are"} silent, ${fresh.length} since now: ${named(fresh)}`,
        [{ type: "vedette.watch", id: "silent hosts" }, ...fresh.slice(0, maxNamed).map((id) => ({ type: "host.name", id }))],
      ]);
    if (!quiet) yield* this.#endOthers("vedette_hosts_silent", wall, (names) => names.some((name) => missing.has(name)));
  }

  #missing(wall: Micros): Set<string> {
    const missing = new Set([...this.#hosts.silent(wall)].map(([name]) => name));
    for (const name of this.#options.inventory) {
      const last = Math.max(this.#hosts.heard.get(name)?.last ?? 0, this.#hosts.resumed, this.#begun);
      if (wall - last > this.#options.inventorySilence) missing.add(name);
    }
    for (const name of missing) if (this.#excused(name, wall)) missing.delete(name);
    return missing;
  }

  #excused(name: string, wall: Micros): boolean {
    return inMaintenance(this.#options.maintenance, name, wall);
  }

  *#failures(wall: Micros): Generator<OwnFinding> {
    for (const [key, of] of this.#formats) {
      const records = of.now.records + of.before.records;
      const flaws = of.now.flaws + of.before.flaws;
      const [source = "", format = ""] = key.split("\0");
      if (of.failing === undefined && flaws >= failing.flaws && flaws >= failing.share * records) {
        of.failing = wall;
        yield* this.#begin("vedette_parse_failures", key, [key], wall, "medium", () => [
          `${flaws} of ${records} records of ${source} in the last minutes could not be read as ${format}; see its dead letters`,
          [{ type: "vedette.source", id: source }],
        ]);
      } else if (of.failing !== undefined && flaws <= failing.over * records) {
        of.failing = undefined;
        yield* this.#endOthers("vedette_parse_failures", wall, (names) => !names.includes(key));
      }
    }
  }

  *#clocksNow(wall: Micros): Generator<OwnFinding> {
    for (const [key, of] of this.#clocks) {
      if (of.lead === undefined) continue;
      of.leads = [...of.leads, of.lead].slice(-steadySpans);
      of.lead = undefined;
      const [source = "", host = ""] = key.split("\0");
      const newest = of.leads.at(-1)!;
      const spread = Math.max(...of.leads) - Math.min(...of.leads);
      const lags = of.leads.length === steadySpans && newest < -maxLag && spread <= steady;
      if (newest > maxLead || lags) {
        if (of.wrong === undefined)
          yield* this.#begin("vedette_clock_wrong", key, [key], wall, "low", () => [
            newest > 0
              ? `${host} (${source}) writes times ${seconds(newest)} ahead of ours`
              : `${host} (${source}) has been ${seconds(-newest)} behind for ${steadySpans} minutes: a wrong clock or time zone, or a slow delivery`,
            [
              { type: "host.name", id: host },
              { type: "vedette.source", id: source },
            ],
          ]);
        of.wrong ??= wall;
      } else if (of.wrong !== undefined) {
        of.wrong = undefined;
        yield* this.#endOthers("vedette_clock_wrong", wall, (names) => !names.includes(key));
      }
    }
  }

  *#drifts(wall: Micros): Generator<OwnFinding> {
    for (const { source, kind, drift } of this.#drift.look(wall)) {
      const key = `${source}\0${kind}`;
      if (source.startsWith(reservedPrefix)) continue;
      if (drift)
        yield* this.#begin("vedette_schema_drift", key, [key], wall, "low", () => [
          `${kind} of ${source}: ${[drift.vanished.length > 0 ? `gone: ${named(drift.vanished)}` : "", drift.appeared.length > 0 ? `new: ${named(drift.appeared)}` : ""].filter(Boolean).join("; ")}`,
          [{ type: "vedette.source", id: source }],
        ]);
      else yield* this.#endOthers("vedette_schema_drift", wall, (names) => !names.includes(key));
    }
  }

  *#begin(
    kind: Kind,
    key: string,
    names: readonly string[],
    at: Micros,
    severity: OwnFinding["severity"],
    say: () => readonly [summary: string, entities: OwnFinding["entities"]],
  ): Generator<OwnFinding> {
    const full = `${kind}\0${key}`;
    if (this.#standing.has(full)) return;
    this.#standing.set(full, { at, names });
    const [summary, entities] = say();
    yield { rule: { id: kind, title: titles[kind] }, severity, summary: summary.slice(0, 1_000), entities, at, episode: full };
  }

  /** Ends what no longer holds: the alert closes itself. */
  *#endOthers(kind: Kind, wall: Micros, holds: (names: readonly string[]) => boolean): Generator<OwnFinding> {
    for (const [full, { at, names }] of this.#standing) {
      if (!full.startsWith(`${kind}\0`) || holds(names)) continue;
      this.#standing.delete(full);
      const what =
        kind === "vedette_clock_wrong" || kind === "vedette_schema_drift" || kind === "vedette_parse_failures"
          ? "is over"
          : "heard of again";
      const [first = ""] = names;
      const told = names.length > 1 ? named(names) : first.replaceAll("\0", " ");
      yield {
        rule: { id: kind, title: titles[kind] },
        severity: "informational",
        summary: `${told}: ${what} after ${seconds(wall - at)}`,
        entities: kind === "vedette_hosts_silent" ? [{ type: "vedette.watch", id: "silent hosts" }] : [entityOf(kind, first)],
        at,
        episode: full,
        over: true,
      };
    }
  }

  report(): QualityReport {
    const wall = this.#wall;
    const silent = new Map([...this.#sources.silent(wall)]);
    const sources = [...this.#sources.heard].map(([name, of]): SourceQuality => {
      const allowed = this.#sources.allowed(of);
      const formats = [...this.#formats].flatMap(([key, { now, before, failing: bad }]) => {
        const [source, format = ""] = key.split("\0");
        if (source !== name) return [];
        return [{ format, records: now.records + before.records, flaws: now.flaws + before.flaws, failing: bad !== undefined }];
      });
      const { knows } = this.#options;
      const unknown = knows ? [...this.#drift.fieldsOf(name)].filter(([field]) => !knows(field)).sort((a, b) => b[1] - a[1]) : [];
      return {
        name,
        state: silent.has(name) ? (this.#excused(name, wall) ? "maintenance" : "silent") : allowed === undefined ? "learning" : "ok",
        last: of.last,
        ...(allowed === undefined ? {} : { silence_allowed: allowed }),
        formats,
        unknown_fields: unknown.slice(0, 50).map(([field, n]) => ({ field, sampled: n })),
        drift: this.#drift.of(name),
      };
    });
    const missing = wall === 0 ? new Set<string>() : this.#missing(wall);
    return {
      at: wall,
      sources,
      hosts: {
        known: this.#hosts.heard.size,
        unwatched: this.#hosts.beyond,
        silent: [...missing]
          .sort()
          .slice(0, 1_000)
          .map((name) => ({ name, last: this.#hosts.heard.get(name)?.last ?? 0 })),
        clocks: [...this.#clocks].flatMap(([key, { wrong, leads }]) => {
          const [source = "", host = ""] = key.split("\0");
          return wrong === undefined ? [] : [{ host, source, lead: leads.at(-1) ?? 0 }];
        }),
      },
    };
  }

  save(): string {
    const state: State = [
      this.#last,
      this.#wall,
      [...this.#sources.heard],
      [...this.#hosts.heard],
      [...this.#formats],
      [...this.#clocks],
      [...this.#standing],
      this.#drift.entries(),
      [this.#sources.resumed, this.#begun, this.#turned],
    ];
    return JSON.stringify(state);
  }
  restore(text: string): void {
    const [last, wall, sources, hosts, formats, clocks, standing, drift, [resumed, begun, turned]] = JSON.parse(text) as State;
    [this.#last, this.#wall, this.#begun, this.#turned] = [last, wall, begun, turned];
    for (const [name, of] of sources) this.#sources.heard.set(name, of as never);
    for (const [name, of] of hosts) this.#hosts.heard.set(name, of as never);
    for (const [key, of] of formats) this.#formats.set(key, of);
    for (const [key, of] of clocks) this.#clocks.set(key, of);
    for (const [key, of] of standing) this.#standing.set(key, of);
    this.#drift.restore(drift);
    [this.#sources.resumed, this.#hosts.resumed] = [resumed, resumed];
  }
}

function entityOf(kind: Kind, key: string): OwnFinding["entities"][number] {
  const [source = "", second = ""] = key.split("\0");
  return kind === "vedette_clock_wrong" ? { type: "host.name", id: second } : { type: "vedette.source", id: source };
}

const seconds = (micros: Micros): string => {
  const s = Math.round(micros / 1e6);
  return s < 120 ? `${s} s` : s < 7_200 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3_600)} h`;
};
const named = (names: readonly string[]): string =>
  `${names.slice(0, maxNamed).join(", ")}${names.length > maxNamed ? ` and ${names.length - maxNamed} more` : ""}`;
