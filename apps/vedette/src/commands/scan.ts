/** `vedette scan`: the same passes over files, with nothing stored and no server. */
import { createInterface } from "node:readline";
import { sources } from "@vedette/ingest";
import { type Intake, systemClock } from "@vedette/kit";
import type { Finding, RawRecord } from "@vedette/model";
import { detectFormat, formats } from "@vedette/normalise";
import { Analyser, type Analysis, type Compiled, compileProgram, encodeRecords, KeyedEngine, makeProgram, textOf } from "@vedette/pipeline";
import { bundledPipelines, bundledRules, yamlFiles } from "../content.ts";
import { type Form, formOf, printRows, type Row } from "../output.ts";

interface Options {
  readonly rules?: readonly string[];
  readonly format?: string;
  readonly output?: string;
  readonly json?: boolean;
}

const columns = ["rule.level", "rule.title", "file", "record", "time", "fields"];

export async function scan(files: readonly string[], options: Options): Promise<void> {
  const program = makeProgram(
    {
      rules: options.rules ? options.rules.flatMap(yamlFiles) : bundledRules(),
      pipelines: bundledPipelines(),
      detectors: {},
      lateness_s: 30,
    },
    0,
  );
  const compiled = await compileProgram(program);
  const run = new Scan(compiled, await formats(), options.format, formOf(options));
  for (const file of files) {
    if (file === "-") await run.lines("-", createInterface({ input: process.stdin }));
    else await run.file(file);
  }
  run.end();
}

class Scan {
  readonly #compiled: Compiled;
  readonly #formats: Awaited<ReturnType<typeof formats>>;
  readonly #format: string | undefined;
  readonly #form: Form;
  readonly #analyser: Analyser;
  readonly #keyed: KeyedEngine;
  readonly #rows: Row[] = [];
  readonly #detected = new Map<string, string>();
  #records = 0;
  #dead = 0;
  #matches = 0;

  constructor(compiled: Compiled, known: Awaited<ReturnType<typeof formats>>, format: string | undefined, form: Form) {
    this.#compiled = compiled;
    this.#formats = known;
    this.#format = format;
    this.#form = form;
    this.#analyser = new Analyser(known);
    this.#keyed = new KeyedEngine(compiled.stage.detectors, compiled.program.lateness_s * 1_000_000);
  }

  /** Through the `file` source itself, so that compression, encodings and headers are read as in production. */
  async file(path: string): Promise<void> {
    const spec = (await sources()).get("file")!;
    let record = 0;
    const intake: Intake = {
      accept: async (records, o) => {
        this.#take(path, record, records, o?.preamble);
        record += records.length;
        return { duplicates: [] };
      },
    };
    await spec.run({
      name: path,
      config: spec.config.parse({ paths: [path], follow: false }),
      intake,
      positions: new Map(),
      clock: systemClock,
      warn: (code, message) => process.stderr.write(`${path}: ${code}: ${message}\n`),
      signal: new AbortController().signal,
    });
    if (record === 0) process.stderr.write(`${path}: no records\n`);
  }

  async lines(name: string, input: AsyncIterable<string>): Promise<void> {
    let records: RawRecord[] = [];
    let first = 0;
    for await (const line of input) {
      records.push({ position: String(first + records.length), body: Buffer.from(line) });
      if (records.length < 2_000) continue;
      this.#take(name, first, records, undefined);
      first += records.length;
      records = [];
    }
    this.#take(name, first, records, undefined);
  }

  end(): void {
    this.#episodes(this.#keyed.finalise(Number.POSITIVE_INFINITY));
    if (this.#form === "table" || this.#form === "json" || this.#form === "csv")
      printRows(this.#rows, columns, this.#form, "no rule matched");
    process.stderr.write(
      `${this.#records} records, ${this.#dead} could not be decoded, ${this.#matches} matches of ${this.#compiled.rules.rules.length} rules\n`,
    );
    if (this.#matches > 0) process.exitCode = 1;
  }

  #take(file: string, first: number, records: readonly RawRecord[], preamble: string | undefined): void {
    if (records.length === 0) return;
    const sample = records.slice(0, 32).map((r) => textOf(Buffer.from(r.body)));
    const format = this.#format ?? this.#detected.get(file) ?? detectFormat(this.#formats, sample, preamble, file);
    if (format !== "text") this.#detected.set(file, format);
    const header = {
      kind: "records" as const,
      version: 1 as const,
      program: this.#compiled.program.hash,
      tenant: "main",
      source: file,
      received: systemClock.now(),
      demo: false,
      seq: first,
      runs: [{ stream: file, format, count: records.length, ...(preamble === undefined ? {} : { preamble }) }],
      positions: records.map((_, i) => String(first + i + 1)),
      flaws: Object.fromEntries(records.flatMap((r, i) => (r.flaw ? [[i, r.flaw]] : []))),
    };
    const bytes = encodeRecords(
      header,
      records.map((r) => r.body),
    );
    const analysis = this.#analyser.analyse({ entries: [{ offset: 0, bytes }], sample: false, store: false }, this.#compiled);
    this.#records += records.length;
    this.#dead += analysis.dead.length;
    this.#show(file, analysis);
  }

  #show(file: string, analysis: Analysis): void {
    for (const finding of analysis.findings) {
      const fields = Object.fromEntries((finding.evidence[0]?.matches ?? []).map((m) => [m.field, m.value]));
      this.#row(finding.rule, finding.severity, file, (finding.evidence[0]?.seq ?? 0) + 1, finding.time, fields);
    }
    // an episode is shown once, when it is over
    this.#keyed.take(analysis.keyed);
    this.#episodes(this.#keyed.finalise(systemClock.now()));
  }

  #episodes(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const last = finding.evidence.at(-1);
      this.#row(finding.rule, finding.severity, last?.source ?? "", (last?.seq ?? -1) + 1, finding.time, { summary: finding.summary });
    }
  }

  #row(
    rule: { readonly id: string; readonly title: string },
    level: string,
    file: string,
    record: number,
    time: number,
    fields: Row,
  ): void {
    this.#matches++;
    const row = {
      "rule.id": rule.id,
      "rule.title": rule.title,
      "rule.level": level,
      file,
      record,
      time: new Date(time / 1_000).toISOString(),
      fields,
    };
    if (this.#form === "ndjson") process.stdout.write(`${JSON.stringify(row)}\n`);
    else this.#rows.push(row);
  }
}
