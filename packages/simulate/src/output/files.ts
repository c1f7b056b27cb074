/** Writes a simulation's records as a site would have them: a folder a kind, a file a stream and hour. Knows no other way out. */
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { BadInputError, makeFolder } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type ZeekForm, type ZeekLog, zeekFooter, zeekHeader } from "../records/zeek.ts";
import { dayStamp, hour, hourStamp } from "../stamps.ts";
import type { IncidentTruth, JobTruth, SimulationTruth } from "../truth.ts";
import type { Emitted, Stream } from "../world.ts";

/** Characters kept before they are written. */
const buffered = 1 << 16;

interface Open {
  readonly file: string;
  readonly hour: number;
  readonly descriptor: number;
  text: string;
  lines: number;
}

/** Where a stream's records of an hour stand, under the names that each program gives its files. */
export function fileOf(stream: Stream, time: Micros): string {
  const [date, h] = [dayStamp(time), hourStamp(time)];
  if (stream.startsWith("zeek/")) {
    const until = String((Number(h) + 1) % 24).padStart(2, "0");
    return `zeek/${date}/${stream.slice(5)}.${h}:00:00-${until}:00:00.log`;
  }
  const compact = `${date.replaceAll("-", "")}${h}`;
  if (stream === "tetragon") return `tetragon/tetragon-${date}T${h}-00-00.000.log`;
  if (stream === "auth") return `auth/auth.log-${compact}`;
  if (stream === "metrics") return `metrics/remote_write-${compact}.ndjson`;
  return `${stream}-${compact}.${stream === "slurm/sacct" ? "txt" : "ndjson"}`;
}

export class Folder {
  readonly #directory: string;
  readonly #zeek: ZeekForm;
  readonly #open = new Map<Stream, Open>();
  files = 0;
  bytes = 0;

  /** @throws BadInputError when something is there already */
  constructor(directory: string, zeek: ZeekForm) {
    this.#directory = directory;
    this.#zeek = zeek;
    makeFolder(directory, 0o777);
    if (readdirSync(directory).length > 0) throw new BadInputError("bad_request", `${directory}: expected a new or an empty folder`);
  }

  write(records: readonly Emitted[]): void {
    for (const { stream, time, line, incident } of records) {
      let open = this.#open.get(stream);
      if (open === undefined || time >= (open.hour + 1) * hour) {
        if (open !== undefined) this.#close(stream, open);
        open = this.#start(stream, time);
      }
      open.text += `${line}\n`;
      open.lines++;
      incident?.wrote(open.file, open.lines);
      if (open.text.length > buffered) this.#flush(open);
    }
  }

  /** Closes all files and adds the truth. */
  close(truth: readonly (SimulationTruth | IncidentTruth)[]): void {
    for (const [stream, open] of this.#open) this.#close(stream, open);
    this.#open.clear();
    writeFileSync(join(this.#directory, "truth.ndjson"), truth.map((one) => `${JSON.stringify(one)}\n`).join(""));
  }

  addJobs(jobs: readonly JobTruth[]): void {
    if (jobs.length === 0) return;
    writeFileSync(join(this.#directory, "truth_jobs.ndjson"), jobs.map((one) => `${JSON.stringify(one)}\n`).join(""), { flag: "a" });
  }

  #start(stream: Stream, time: Micros): Open {
    const file = fileOf(stream, time);
    const path = join(this.#directory, file);
    mkdirSync(dirname(path), { recursive: true });
    const open: Open = { file, hour: Math.floor(time / hour), descriptor: openSync(path, "wx"), text: "", lines: 0 };
    // a header's lines are no records: they are not counted
    if (this.#zeek === "tsv" && stream.startsWith("zeek/")) open.text = `${zeekHeader(stream.slice(5) as ZeekLog, time)}\n`;
    this.#open.set(stream, open);
    this.files++;
    return open;
  }

  #flush(open: Open): void {
    this.bytes += writeSync(open.descriptor, Buffer.from(open.text));
    open.text = "";
  }

  #close(stream: Stream, open: Open): void {
    if (this.#zeek === "tsv" && stream.startsWith("zeek/")) open.text += `${zeekFooter((open.hour + 1) * hour)}\n`;
    this.#flush(open);
    closeSync(open.descriptor);
  }
}
