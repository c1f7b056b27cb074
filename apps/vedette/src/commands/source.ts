/** `vedette source list|test|token`. */

import { endpoints, sources } from "@vedette/ingest";
import { type Intake, jsonText, systemClock, UnavailableError, VedetteError } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import { detectFormat, formats } from "@vedette/normalise";
import { textOf } from "@vedette/pipeline";
import { connect, type ServerOptions } from "../client.ts";
import { checkComponents, configuredSources } from "../config/components.ts";
import { loadConfig } from "../config/load.ts";
import { formOf, printRows, safe } from "../output.ts";

interface ListOptions extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export async function list(options: ListOptions): Promise<void> {
  const { sources: rows } = await connect(options).get("/sources");
  printRows(
    rows,
    ["name", "type", "state", "rate", "in", "stored", "dead", "dropped", "pending", "last_received"],
    formOf(options),
    "no source has sent anything yet",
  );
}

interface TokenOptions extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
  readonly list?: boolean;
  readonly revoke?: string;
  readonly eventsPerSecond?: number;
  readonly bytesPerSecond?: number;
}

/** Makes a source's token, lists tokens, or takes one back. A new token goes to stdout alone, so that a script can take it. */
export async function token(source: string | undefined, options: TokenOptions): Promise<void> {
  const server = connect(options);
  if (options.revoke !== undefined) {
    await server.delete("/source-tokens/{id}", { path: { id: options.revoke } });
    process.stderr.write(`token ${safe(options.revoke)} is revoked; senders that use it get 401 from now on\n`);
  } else if (options.list) {
    const { tokens } = await server.get("/source-tokens");
    printRows(
      tokens,
      ["id", "source", "created", "events_per_second", "bytes_per_second"],
      formOf(options),
      "no source has a token of its own; make one with: vedette source token NAME",
    );
  } else if (source === undefined) {
    throw new VedetteError(
      "config_invalid",
      true,
      "name the source the token is for: vedette source token NAME (or --list, or --revoke ID)",
    );
  } else {
    const made = await server.post("/source-tokens", {
      body: {
        source,
        ...(options.eventsPerSecond === undefined ? {} : { events_per_second: options.eventsPerSecond }),
        ...(options.bytesPerSecond === undefined ? {} : { bytes_per_second: options.bytesPerSecond }),
      },
    });
    process.stderr.write(
      `Token ${made.id} may send events as "${source}" and do nothing else. It is shown only now; give it to the sender as "Authorization: Bearer …".\n`,
    );
    process.stdout.write(options.json ? `${jsonText(made)}\n` : `${made.token}\n`);
  }
}

interface TestOptions extends ServerOptions {
  readonly config?: string;
  readonly records: number;
  readonly wait: number;
  readonly json?: boolean;
}

/** Reads with the source's own code but keeps nothing: positions and data are left as they are. */
export async function test(name: string, options: TestOptions): Promise<void> {
  const loaded = loadConfig(options.config, process.env);
  const problems = await checkComponents(loaded);
  if (problems.length > 0) throw new VedetteError("config_invalid", true, problems.join("\n"));
  const source = configuredSources(loaded).find((s) => s.name === name);
  if (!source && (await explained(name, options))) return;
  if (!source)
    throw new VedetteError(
      "config_invalid",
      true,
      `no source "${name}" in ${loaded.file ?? "the configuration"}; configured: ${Object.keys(loaded.config.sources).join(", ") || "none"}`,
    );
  const spec = (await sources()).get(source.type)!;
  const wanted = options.records;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), options.wait * 1_000);
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
  try {
    await spec.run({
      name,
      config: spec.config.parse(source.config ?? {}),
      intake,
      positions: new Map(),
      clock: systemClock,
      warn: (code, message) => warnings.push(`${code}: ${message}`),
      signal: stop.signal,
    });
  } catch (error) {
    // a running server listens there: it knows better than a second listener could
    if (/EADDRINUSE/.test((error as Error).message) && (await explained(name, options))) return;
    throw error;
  } finally {
    clearTimeout(timer);
  }
  for (const w of warnings) process.stderr.write(`warning ${w}\n`);
  await showDecoded(taken, source, options.json ?? false);
  if (taken.length === 0) {
    process.stderr.write("nothing came; is the path right, or is the sender connected?\n");
    process.exitCode = 1;
  }
}

/** What a running server knows of senders by HTTP: what came of them, and why those fail that do. False where it knows nothing of the name. */
async function explained(name: string, options: ServerOptions): Promise<boolean> {
  const server = connect(options);
  const known = (await endpoints()).has(name);
  const answer = await Promise.all([server.get("/sources"), server.get("/refusals")]).catch((error: unknown) => {
    if (known || !(error instanceof UnavailableError)) throw error;
    return undefined;
  });
  if (answer === undefined) return false;
  const [{ sources: all }, { refusals }] = answer;
  const source = all.find((one) => one.name === name);
  if (!known && source === undefined) return false;
  if (source === undefined) process.stdout.write(`${name}: nothing has been taken in yet\n`);
  else
    process.stdout.write(
      `${name}: ${source.state}, ${source.stored} events stored, ${source.dead} dead letters, last received ${source.last_received ?? "never"}\n`,
    );
  for (const { at, code, message, count } of source?.warnings ?? [])
    process.stdout.write(`${code}, ${count} times, last ${at}\n  ${safe(message)}\n`);
  // a sender whose token is wrong reaches no source: those of the endpoints count for all
  const about = refusals.filter(
    (one) => one.source === name || one.endpoint === name || (one.source === undefined && source?.type === "http"),
  );
  for (const { peer, cause, count, last, message, fix } of about)
    process.stdout.write(`${peer}: ${cause}, ${count} times, last ${last}\n  ${safe(message)}\n  → ${fix}\n`);
  if (about.length === 0) process.stdout.write("no sender by HTTP was refused since the server started\n");
  else process.exitCode = 1;
  return true;
}

async function showDecoded(
  taken: readonly { record: RawRecord; stream: string; preamble: string | undefined }[],
  { format: fixed, formatConfig }: { readonly format?: string; readonly formatConfig?: unknown },
  json: boolean,
): Promise<void> {
  const known = await formats();
  const texts = taken.map((t) => textOf(Buffer.from(t.record.body)));
  for (const [i, { record, stream, preamble }] of taken.entries()) {
    const format = fixed ?? detectFormat(known, texts, preamble, stream);
    const spec = known.get(format)!;
    const result =
      record.flaw ??
      spec.decoder(spec.config.parse(formatConfig ?? {}))(texts[i]!, {
        preamble,
        received: systemClock.now(),
        peer: record.peer,
        source: "test",
        stream,
      });
    if (json) process.stdout.write(`${jsonText({ position: record.position, format, text: texts[i], result })}\n`);
    else {
      process.stdout.write(`${safe(texts[i]!).slice(0, 300)}\n  format ${format}\n`);
      if ("code" in result) process.stdout.write(`  dead letter ${result.code}: ${result.expected}\n`);
      else
        for (const d of [result].flat())
          if ("fields" in d) for (const k in d.fields) process.stdout.write(`  ${k} = ${safe(String(d.fields[k])).slice(0, 200)}\n`);
    }
  }
}
