/** The plain pipeline to compare with: split, JSON.parse, keep 22 fields, zstd the originals. No ids, rules, durability or queries. */
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { type Corpus, corpus, temporary } from "../corpus.ts";
import { type Cost, costOf, print, say } from "../harness.ts";

/** What the naive pipeline of reference/dependencies.md 3a reached. */
const reference = 47_000;
const kept = [
  "ts _path uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state",
  "version cipher server_name subject issuer name msg host user",
].flatMap((names) => names.split(" "));
const sshd = /^(\w{3} [ \d]\d \d\d:\d\d:\d\d) (\S+) ([^\s[:]+)(?:\[(\d+)\])?: (.*)$/;
const address = /\b(\d{1,3}(?:\.\d{1,3}){3})\b/;

export async function bench(events = 500_000): Promise<void> {
  const data = await corpus(events);
  const { cost, bytes } = await naive(data);
  say("nothing of this is durable, searchable or detected on: it is the floor, not a rival");
  print({
    name: "naive",
    value: events / cost.cpu_s,
    unit: "events per CPU second",
    baseline: reference,
    details: { events, input_mb: data.bytes / 1e6, cpu_s: cost.cpu_s, wall_s: cost.wall_s, written_bytes_per_event: bytes / events },
  });
}

/** @returns what it cost, and how many bytes it wrote */
export async function naive(data: Corpus): Promise<{ readonly cost: Cost; readonly bytes: number }> {
  const directory = mkdtempSync(join(temporary, "naive-"));
  const out = openSync(join(directory, "events.zst"), "w");
  let bytes = 0;
  const write = (text: string) => {
    bytes += writeSync(out, zstdCompressSync(text));
  };
  const cost = await costOf(async () => {
    for (const [file, parse] of [
      [data.zeek, parseZeek],
      [data.sshd, parseSshd],
    ] as const) {
      let rest = "";
      for await (const chunk of createReadStream(file, { encoding: "utf8", highWaterMark: 1_048_576 })) {
        const end = (chunk as string).lastIndexOf("\n");
        const lines = rest + (chunk as string).slice(0, end);
        rest = (chunk as string).slice(end + 1);
        const rows = lines.split("\n").map(parse);
        // the columns are kept as JSON, the simplest form that reads back
        write(JSON.stringify(rows));
        write(lines);
      }
    }
  });
  closeSync(out);
  rmSync(directory, { recursive: true, force: true });
  return { cost, bytes };
}

function parseZeek(line: string): unknown[] {
  const event = JSON.parse(line) as { readonly [name: string]: unknown };
  return kept.map((name) => event[name]);
}

function parseSshd(line: string): unknown[] {
  const [, time, host, name, pid, message = ""] = sshd.exec(line) ?? [];
  return [time, host, name, pid, message, address.exec(message)?.[1]];
}
