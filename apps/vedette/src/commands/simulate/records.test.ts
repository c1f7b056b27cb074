/** What the simulator writes is what the formats read: every stream, without a flaw; the same seed, the same bytes; TSV and JSON twins are equal. */
import { createHash } from "node:crypto";
import type { Decode, Decoded } from "@vedette/kit";
import { detectFormat, formats } from "@vedette/normalise";
import { type Emitted, Simulation, stage, type WorldOptions, zeekHeader } from "@vedette/simulate";
import { expect, test } from "vitest";

const hour = 3_600_000_000;
const start = Date.UTC(2026, 2, 3, 0) * 1_000;
const options: WorldOptions = {
  seed: 5,
  nodes: 12,
  start,
  end: start + 6 * hour,
  activity: 0.002,
  zeek: "json",
  accounting: "jobcomp",
  interval: 300_000_000,
};
const asked = ["all@1h"];
const play = (changes: Partial<WorldOptions> = {}): Simulation => {
  const changed = { ...options, ...changes };
  return new Simulation(changed, stage(asked, changed.end - changed.start));
};
const recordsOf = (simulation: Simulation): Emitted[] => [...simulation.run()].flat();
const digest = (records: readonly Emitted[]): string =>
  createHash("sha256")
    .update(records.map((one) => `${one.time} ${one.stream} ${one.line}\n`).join(""))
    .digest("hex");

const known = await formats();
function decoderOf(stream: string, lines: readonly string[], preamble?: string): Decode {
  const name = detectFormat(known, lines.slice(0, 32), preamble, stream);
  const spec = known.get(name)!;
  return spec.decoder(spec.config.parse({}));
}

interface Read {
  readonly record: Emitted;
  readonly events: readonly Decoded[];
  readonly samples: number;
}

/** Decodes every record as a source of its own stream would; a flaw ends the test. */
function readAll(records: readonly Emitted[], preambleOf: (stream: string) => string | undefined = () => undefined): Read[] {
  const streams = Map.groupBy(records, (one) => one.stream);
  return [...streams].flatMap(([stream, own]) => {
    const preamble = preambleOf(stream);
    const decode = decoderOf(
      stream,
      own.map((one) => one.line),
      preamble,
    );
    return own.map((record): Read => {
      const result = decode(record.line, { preamble, received: record.time, peer: undefined, source: "simulated", stream });
      const many = Array.isArray(result) ? result : [result];
      for (const one of many) if ("code" in one) throw new Error(`${stream}: ${one.code}: ${record.line}`);
      const skipped = many.flatMap((one) => ("skip" in one ? [one as { skip: string; samples?: readonly unknown[] }] : []));
      for (const { skip, samples } of skipped) if (samples === undefined) throw new Error(`${stream}: ${skip}: ${record.line}`);
      return {
        record,
        events: many.filter((one): one is Decoded => "fields" in one),
        samples: skipped.reduce((n, one) => n + one.samples!.length, 0),
      };
    });
  });
}

const simulation = play();
const records = recordsOf(simulation);

test("the same seed, the same bytes; another seed, others", () => {
  expect(digest(recordsOf(play()))).toBe(digest(records));
  expect(digest(recordsOf(play({ seed: 6 })))).not.toBe(digest(records));
});

test("every record of every stream is read without a flaw, at its time", () => {
  const read = readAll(records);
  const datasets: { [dataset: string]: number } = {};
  for (const { record, events } of read)
    for (const { fields, time } of events) {
      const dataset = String(fields["event.dataset"]);
      datasets[dataset] = (datasets[dataset] ?? 0) + 1;
      // connections are written at their end, jobs' times are whole seconds, some clocks are off
      if (!dataset.startsWith("zeek.") && !dataset.startsWith("slurm")) expect(Math.abs(time! - record.time)).toBeLessThan(21_000_000);
    }
  expect(Object.keys(datasets).sort()).toEqual(
    ["linux.auth", "slurm.job", "tetragon", "zeek.conn", "zeek.dns", "zeek.netcontrol_shunt", "zeek.notice", "zeek.ssh", "zeek.ssl"].sort(),
  );
  expect(read.reduce((n, one) => n + one.samples, 0)).toBeGreaterThan(10_000);
});

test("what a job's processes and metrics say is told of the job that Slurm accounts for", () => {
  const jobs = new Set([...simulation.takeJobs(), ...simulation.unfinishedJobs()].map((one) => String(one.job)));
  const fields = readAll(records).flatMap(({ events }) => events.map((one) => one.fields));
  const told = fields.filter((f) => f["event.module"] === "tetragon" && f["slurm.job.id"] !== undefined);
  expect(told.length).toBeGreaterThan(100);
  for (const f of told) expect(jobs.has(String(f["slurm.job.id"]))).toBe(true);
  // the ancestry of a job's programs can be followed: each parent was told of
  const ids = new Set(fields.map((f) => f["process.entity_id"]));
  const orphans = told.filter((f) => f["event.action"] === "exec" && !ids.has(f["process.parent.entity_id"]!));
  expect(orphans.map((f) => f["process.command_line"])).toEqual([]);
});

test("Zeek's tab-separated rows and its JSON are the same events", () => {
  const pick = (all: readonly Emitted[]) => all.filter((one) => one.stream.startsWith("zeek/"));
  const json = readAll(pick(records));
  const tsv = readAll(pick(recordsOf(play({ zeek: "tsv" }))), (stream) =>
    zeekHeader(stream.slice(5) as Parameters<typeof zeekHeader>[0], start),
  );
  const comparable = (read: readonly Read[]) =>
    read.map(({ events }) =>
      events.map(({ time, fields }) => ({
        time,
        // an unset set is absent in JSON and empty in TSV
        fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => !(Array.isArray(value) && value.length === 0))),
      })),
    );
  expect(comparable(tsv)).toEqual(comparable(json));
});

test("each attack leaves records that tell of it", () => {
  const [, ...incidents] = simulation.truth();
  expect(incidents.map((one) => one.scenario).sort()).toEqual(
    stage(asked, hour)
      .map((one) => one.scenario.name)
      .sort(),
  );
  const lines = Map.groupBy(records, (one) => one.incident?.id);
  for (const { id, scenario, user, uid, jobs, addresses, nodes } of incidents) {
    const own = lines.get(id)!;
    expect([scenario, own.length > 3]).toEqual([scenario, true]);
    const names = [user, uid, ...jobs, ...addresses, ...nodes].filter((one) => one !== undefined).map(String);
    // clean-up and errands may name none of them; what matters does
    expect(own.filter(({ line }) => names.some((name) => line.includes(name))).length).toBeGreaterThan(own.length / 3);
  }
});
