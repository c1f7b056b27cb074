/** `vedette source list|test`. */

import { sources } from "@vedette/ingest";
import { type Intake, systemClock, VedetteError } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import { detectFormat, formats } from "@vedette/normalise";
import { textOf } from "@vedette/pipeline";
import { connect, type ServerOptions } from "../client.ts";
import { checkComponents, configuredSources } from "../config/components.ts";
import { loadConfig } from "../config/load.ts";
import { formOf, printRows, type Row, safe } from "../output.ts";

interface ListOptions extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export async function list(options: ListOptions): Promise<void> {
  const { sources: rows } = await connect(options).get<{ sources: Row[] }>("/sources");
  printRows(
    rows,
    ["name", "type", "state", "rate", "in", "stored", "dead", "dropped", "pending", "last_received"],
    formOf(options),
    "no source has sent anything yet",
  );
}

interface TestOptions {
  readonly config?: string;
  readonly records: string;
  readonly wait: string;
  readonly json?: boolean;
}

/** Reads with the source's own code but keeps nothing: positions and data are left as they are. */
export async function test(name: string, options: TestOptions): Promise<void> {
  const loaded = loadConfig(options.config, process.env);
  const problems = await checkComponents(loaded);
  if (problems.length > 0) throw new VedetteError("config_invalid", true, problems.join("\n"));
  const source = configuredSources(loaded).find((s) => s.name === name);
  if (!source)
    throw new VedetteError(
      "config_invalid",
      true,
      `no source "${name}" in ${loaded.file ?? "the configuration"}; configured: ${Object.keys(loaded.config.sources).join(", ") || "none"}`,
    );
  const spec = (await sources()).get(source.type)!;
  const wanted = Number(options.records);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), Number(options.wait) * 1_000);
  const taken: { record: RawRecord; stream: string; preamble: string | undefined }[] = [];
  const intake: Intake = {
    async accept(records, o) {
      for (const record of records) if (taken.length < wanted) taken.push({ record, stream: o?.stream ?? "", preamble: o?.preamble });
      if (taken.length >= wanted) stop.abort();
      return { duplicates: [] };
    },
  };
  process.stderr.write(`Reading up to ${wanted} records of ${name} (${source.type}), at most ${options.wait} s…\n`);
  const warnings: string[] = [];
  await spec.run({
    name,
    config: spec.config.parse(source.config ?? {}),
    intake,
    positions: new Map(),
    clock: systemClock,
    warn: (code, message) => warnings.push(`${code}: ${message}`),
    signal: stop.signal,
  });
  clearTimeout(timer);
  for (const w of warnings) process.stderr.write(`warning ${w}\n`);
  await showDecoded(taken, source.format, options.json ?? false);
  if (taken.length === 0) {
    process.stderr.write("nothing came; is the path right, or is the sender connected?\n");
    process.exitCode = 1;
  }
}

async function showDecoded(
  taken: readonly { record: RawRecord; stream: string; preamble: string | undefined }[],
  fixed: string | undefined,
  json: boolean,
): Promise<void> {
  const known = await formats();
  const texts = taken.map((t) => textOf(Buffer.from(t.record.body)));
  for (const [i, { record, stream, preamble }] of taken.entries()) {
    const format = fixed ?? detectFormat(known, texts, preamble, stream);
    const spec = known.get(format)!;
    const result =
      record.flaw ??
      spec.decoder(spec.config.parse({}))(texts[i]!, { preamble, received: systemClock.now(), peer: record.peer, source: "test", stream });
    if (json) process.stdout.write(`${JSON.stringify({ position: record.position, format, text: texts[i], result })}\n`);
    else {
      process.stdout.write(`${safe(texts[i]!).slice(0, 300)}\n  format ${format}\n`);
      if ("code" in result) process.stdout.write(`  dead letter ${result.code}: ${result.expected}\n`);
      else
        for (const d of [result].flat())
          if ("fields" in d) for (const k in d.fields) process.stdout.write(`  ${k} = ${safe(String(d.fields[k])).slice(0, 200)}\n`);
    }
  }
}
