/** Bytes an event takes once sealed, its original line included, beside zstd -3 of the raw lines. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { constants, createZstdCompress, gunzipSync } from "node:zlib";
import { openStore } from "@vedette/store";
import { rekeyedSshd, shared, sshdLines, temporary, zeekLines } from "../corpus.ts";
import { type Batch, fillStore } from "../filling.ts";
import { print, say } from "../harness.ts";

/** The goals: bytes per event, and the share of the raw bytes. */
const goals = { zeek: 80, sshd: 60, windows_share: 0.05 };
/** As the intake cuts its batches. */
const batchBytes = 1_048_576;
/** The sshd set is too small to say anything about sealed files of a live size: it is re-keyed up to this many events. */
const sshdEvents = 100_000;

interface Lines {
  readonly lines: Iterable<string>;
  readonly format: string;
  readonly stream?: string;
  readonly preamble?: string;
}

/** @param events at most so many lines of each set */
export async function bench(events = Number.POSITIVE_INFINITY): Promise<void> {
  mkdirSync(temporary, { recursive: true });
  const details: { [name: string]: number | string } = {};
  const zeek = await measure(details, "zeek_json", [{ lines: zeekLines(), format: "json" }], events);
  await measure(details, "zeek_tsv", zeekTables(), events);
  await measure(details, "sshd_as_it_is", [{ lines: sshdLines(), format: "syslog" }], events);
  await measure(details, "sshd_rekeyed", [{ lines: rekeyedSshd(), format: "syslog" }], Math.min(events, sshdEvents));
  await measure(details, "windows", windows(), events);
  Object.assign(details, { goal_sshd_bytes: goals.sshd, goal_windows_of_raw: goals.windows_share });
  print({ name: "disk", value: zeek, unit: "bytes per sealed event, Zeek JSON", baseline: goals.zeek, details });
}

/** @returns bytes per event */
async function measure(details: { [name: string]: number | string }, name: string, sets: Iterable<Lines>, most: number): Promise<number> {
  const directory = mkdtempSync(join(temporary, "disk-"));
  const store = await openStore({ directory });
  try {
    const raw = new Raw();
    const { stored, dead } = await fillStore(store, batches(sets, most, raw));
    await store.events.seal(true);
    const { sealedBytes, partitions } = await store.events.usage();
    const compressed = await raw.compressed();
    const perEvent = sealedBytes / stored;
    details[`${name}_events`] = stored;
    if (dead > 0) details[`${name}_dead`] = dead;
    details[`${name}_raw_bytes_per_event`] = raw.bytes / stored;
    details[`${name}_bytes_per_event`] = perEvent;
    details[`${name}_zstd3_bytes_per_event`] = compressed / stored;
    details[`${name}_of_raw`] = sealedBytes / raw.bytes;
    details[`${name}_files`] = partitions;
    say(`${name}: ${perEvent.toFixed(1)} bytes per event (zstd -3 of the lines: ${(compressed / stored).toFixed(1)})`);
    return perEvent;
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function* batches(sets: Iterable<Lines>, most: number, raw: Raw): Generator<Batch> {
  const received = Date.now() * 1_000;
  let left = most;
  for (const { lines: all, ...set } of sets) {
    let lines: string[] = [];
    let bytes = 0;
    for (const line of all) {
      if (left-- <= 0) break;
      lines.push(line);
      bytes += line.length + 1;
      if (bytes < batchBytes) continue;
      raw.add(lines);
      yield { source: "bench", ...set, lines, received };
      lines = [];
      bytes = 0;
    }
    if (lines.length > 0) {
      raw.add(lines);
      yield { source: "bench", ...set, lines, received };
    }
    if (left <= 0) return;
  }
}

/** The lines as one stream through zstd -3, counted. */
class Raw {
  bytes = 0;
  #size = 0;
  readonly #zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  readonly #done: Promise<void>;

  constructor() {
    this.#zstd.on("data", (chunk: Buffer) => {
      this.#size += chunk.length;
    });
    this.#done = new Promise((resolve, reject) => this.#zstd.once("end", resolve).once("error", reject));
  }

  add(lines: readonly string[]): void {
    const text = Buffer.from(`${lines.join("\n")}\n`);
    this.bytes += text.length;
    this.#zstd.write(text);
  }

  async compressed(): Promise<number> {
    this.#zstd.end();
    await this.#done;
    return this.#size;
  }
}

function* zeekTables(): Generator<Lines> {
  const folder = join(shared, "data/zeek-wrccdc/zeek-default");
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".gz")) continue;
    const all = gunzipSync(readFileSync(join(folder, name)))
      .toString()
      .split("\n");
    const head = all.findIndex((line) => !line.startsWith("#"));
    const lines = all.filter((line) => line !== "" && !line.startsWith("#"));
    yield { lines, format: "zeek", stream: name, preamble: `${all.slice(0, head).join("\n")}\n` };
  }
}

/** The OTRF sets made on Windows hosts: one JSON document a line. */
function* windows(): Generator<Lines> {
  const folder = join(shared, "data/otrf-security-datasets/atomic/windows");
  for (const name of readdirSync(folder, { recursive: true }).map(String).sort()) {
    if (!name.endsWith(".zip") || !name.includes("host/")) continue;
    // the largest unpacks to some 60 MB
    const text = execFileSync("unzip", ["-p", join(folder, name), "*.json"], { maxBuffer: 1024 ** 3 }).toString();
    yield { lines: text.split("\n").filter((line) => line !== ""), format: "json", stream: name };
  }
}
