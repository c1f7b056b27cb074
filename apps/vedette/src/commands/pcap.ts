/** `vedette pcap`: a capture as rows of Zeek's logs, shown or written to files. Judging them is `vedette scan`'s business, which reads captures too. */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, jsonText, makeFolder } from "@vedette/kit";
import type { Row as Logged } from "@vedette/pcap";
import { formOf, printRows, type Row, safe } from "../output.ts";
import { isCaptureFile, readCapture } from "../scan/capture.ts";
import { findInputs } from "../scan/inputs.ts";

interface Options {
  readonly out?: string;
  readonly output?: string;
  readonly json?: boolean;
}

const say = (text: string) => process.stderr.write(`${safe(text)}\n`);
/** A table or a JSON array is held until its end; more than this is for `-o ndjson` or `--out`. */
const maxShown = 100_000;

export async function pcap(paths: readonly string[], options: Options): Promise<void> {
  const { files, skipped } = findInputs(paths);
  const captures = files.filter(({ path }) => isCaptureFile(path));
  for (const { path, reason } of skipped) say(`${path}: skipped: ${reason}`);
  for (const { path } of files) if (!captures.some((c) => c.path === path)) say(`${path}: skipped: not a pcap or pcapng file`);
  if (captures.length === 0) throw new ConfigError("config_invalid", `${paths.join(", ")}: expected pcap or pcapng files`);
  const rows = options.out === undefined ? new Shown(options) : new Logs(options.out);
  let flawed = false;
  for (const { path } of captures) {
    const counts = await readCapture(
      path,
      (some) => rows.add(some),
      (code, message) => {
        flawed ||= code !== "packets_skipped" && code !== "connections_cut";
        say(`${path}: ${code}: ${message}`);
      },
    );
    say(`${path}: ${counts.packets} packets, ${counts.connections} connections, ${counts.rows} rows`);
  }
  rows.end();
  if (flawed) process.exitCode = 1;
}

/** Rows on standard output. */
class Shown {
  readonly #form: ReturnType<typeof formOf>;
  readonly #held: Row[] = [];
  #left = 0;
  constructor(options: Options) {
    this.#form = formOf(options);
  }

  add(rows: readonly Logged[]): void {
    if (this.#form === "ndjson") return void process.stdout.write(rows.map((r) => `${jsonText(r)}\n`).join(""));
    for (const row of rows)
      if (this.#held.length < maxShown) this.#held.push(this.#form === "json" ? row : summary(row));
      else this.#left++;
  }

  end(): void {
    if (this.#form !== "ndjson") printRows(this.#held, columns, this.#form);
    if (this.#left > 0) say(`${this.#left} rows more; all of them with -o ndjson or --out DIR`);
  }
}

/** A file per log, as Zeek names and writes them. */
class Logs {
  readonly #directory: string;
  readonly #files = new Map<string, number>();
  constructor(directory: string) {
    makeFolder(directory, 0o777);
    this.#directory = directory;
  }

  add(rows: readonly Logged[]): void {
    const texts = new Map<string, string[]>();
    for (const row of rows) {
      const text = `${JSON.stringify(row)}\n`;
      const known = texts.get(row._path);
      if (known) known.push(text);
      else texts.set(row._path, [text]);
    }
    for (const [log, lines] of texts) writeSync(this.#file(log), lines.join(""));
  }

  end(): void {
    for (const file of this.#files.values()) closeSync(file);
  }

  #file(log: string): number {
    const known = this.#files.get(log);
    if (known !== undefined) return known;
    const path = join(this.#directory, `${log}.log`);
    try {
      const file = openSync(path, "wx");
      this.#files.set(log, file);
      return file;
    } catch (e) {
      const there = (e as NodeJS.ErrnoException).code === "EEXIST";
      throw new ConfigError("config_invalid", there ? `${path} exists; name an empty folder with --out` : (e as Error).message);
    }
  }
}

const columns = ["time", "log", "from", "to", "what"] as const;

function summary(row: Logged): Row {
  const { ts, _path } = row;
  const end = (side: "orig" | "resp") => `${row[`id.${side}_h`]}:${row[`id.${side}_p`]}`;
  return { time: new Date(Number(ts) * 1_000).toISOString(), log: _path, from: end("orig"), to: end("resp"), what: told(row) };
}

function told(row: Logged): string {
  if (row._path === "dns") return [row["qtype_name"], row["query"], row["rcode_name"], row["answers"]].filter(Boolean).join(" ");
  if (row._path === "ssl") return [row["version"], row["server_name"], row["ja3"]].filter(Boolean).join(" ");
  if (row._path === "stratum") return [row["agent"], row["methods"], row["signs"]].flat().filter(Boolean).join(" ");
  return `${row["proto"]} ${row["service"] ?? "-"} ${row["conn_state"]} ${row["orig_bytes"]}/${row["resp_bytes"]} bytes in ${row["duration"]} s`;
}
