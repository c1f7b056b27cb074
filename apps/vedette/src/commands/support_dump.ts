/** `vedette support-dump`: one archive with what somebody needs to help, and without secrets, events, or names of people and hosts. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, freemem, loadavg, platform, release, totalmem, uptime } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { jsonText, systemClock } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { loadConfig } from "../config/load.ts";
import { redactConfig, secretsOf, striker } from "../support/redact.ts";
import { tar } from "../support/tar.ts";
import { checksOf } from "./doctor.ts";

interface Options extends ServerOptions {
  readonly config?: string;
  readonly output?: string;
  readonly unit: string;
  readonly version: string;
}

/** What one part may take to be gathered: a server that hangs is a reason for a dump, not against it. */
const patience_ms = 10_000;
const logLines = 500;
const maxPart = 16 * 1_048_576;

type Part = () => Promise<unknown> | unknown;

export async function supportDump(options: Options): Promise<void> {
  const at = new Date();
  const { config, secrets, origins } = configuration(options);
  const directory = resolve(options.dataDir ?? config?.data_dir ?? process.env["VEDETTE_DATA"] ?? "./data");
  const strike = striker([...secrets, ...tokensOf(directory)]);
  const files = new Map<string, Uint8Array>();
  const missing: { [name: string]: string } = {};
  for (const [name, part] of Object.entries(partsOf(options, directory, config, origins))) {
    try {
      const found = await within(part());
      const text = strike(typeof found === "string" ? found : jsonText(found, 2));
      files.set(name, Buffer.from(text).subarray(0, maxPart));
    } catch (e) {
      missing[name] = strike((e as Error).message);
    }
  }
  const stamp = at.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const manifest = {
    vedette: options.version,
    at: at.toISOString(),
    files: [...files].map(([name, bytes]) => ({ name, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") })),
    missing,
    left_out: "values of secrets and of texts in the configuration, events, alerts' content, names of hosts and people",
  };
  files.set("manifest.json", Buffer.from(`${jsonText(manifest, 2)}\n`));
  const to = options.output ?? `vedette-support-${stamp}.tar.gz`;
  writeFileSync(to, gzipSync(tar(files, `vedette-support-${stamp}`, Math.floor(at.getTime() / 1_000))), { mode: 0o600, flag: "wx" });
  for (const [why, names] of Map.groupBy(Object.keys(missing), (name) => missing[name]!))
    process.stderr.write(`without ${names.join(", ")}: ${why}\n`);
  process.stdout.write(`${to}\n`);
  process.stderr.write("Look through it before it leaves the house: tar -xzf it, every file is text.\n");
}

function configuration(options: Options) {
  try {
    const { config, origins } = loadConfig(options.config, process.env);
    return { config, origins, secrets: secretsOf(config, process.env) };
  } catch {
    // what is wrong with it tells doctor; what it holds cannot be told from here
    return { config: undefined, origins: new Map<string, string>(), secrets: secretsOf(undefined, process.env) };
  }
}

/** What lies in the data directory and is a secret by itself. */
function tokensOf(directory: string): readonly string[] {
  return ["admin.token", "secret.key", "canary.key"].flatMap((name) => {
    const file = join(directory, name);
    try {
      if (!existsSync(file)) return [];
      const bytes = readFileSync(file);
      return [...bytes.toString("utf8").split(/\s+/), ...(["hex", "base64", "base64url"] as const).map((form) => bytes.toString(form))];
    } catch {
      return [];
    }
  });
}

function partsOf(
  options: Options,
  directory: string,
  config: unknown,
  origins: ReadonlyMap<string, string>,
): { readonly [name: string]: Part } {
  const client = connect(options);
  return {
    "versions.json": () => ({ vedette: options.version, node: process.versions, platform: platform(), release: release(), arch: arch() }),
    "config.json": () => ({ values: redactConfig(config), from: Object.fromEntries(origins) }),
    "environment.json": () => Object.keys(process.env).filter((name) => /^(VEDETTE|NODE_|KAFKA_|REDIS_|POSTGRES_|API_V1)/.test(name)),
    "host.json": () => host(directory),
    "doctor.json": async () => (await checksOf(options)).filter(({ name }) => !name.startsWith("sender ")),
    "ready.json": () => client.text("/readyz").catch((e: Error) => e.message),
    "metrics.txt": () => client.text("/metrics"),
    "status.json": () => client.get("/status"),
    "ledger.json": () => client.get("/ledger"),
    "sources.json": () => client.get("/sources"),
    "sinks.json": () => client.get("/sinks"),
    "quality.json": async () => {
      const { sources, hosts, ...rest } = await client.get("/sources/quality");
      return { ...rest, sources, hosts: { known: hosts.known, silent: hosts.silent.length, clocks: hosts.clocks.length } };
    },
    "canaries.json": () => client.get("/canaries"),
    "refusals.json": async () => {
      const { refusals } = await client.get("/refusals");
      return refusals.map(({ endpoint, source, cause, count, first, last }) => ({ endpoint, source, cause, count, first, last }));
    },
    "dead_letters.json": async () => {
      const { letters } = await client.get("/dead", { query: { limit: 100 } });
      return letters.map(({ source, received, stage, code }) => ({ source, received, stage, code }));
    },
    "log.txt": () => journal(options.unit),
  };
}

function host(directory: string) {
  const entries = existsSync(directory) ? readdirSync(directory) : [];
  const { blocks, bavail, bsize } = statfsSync(existsSync(directory) ? directory : ".");
  return {
    cpus: availableParallelism(),
    memory: { total: totalmem(), free: freemem() },
    load: loadavg(),
    uptime_s: uptime(),
    volume: { bytes: blocks * bsize, free: bavail * bsize },
    data: entries.map((name) => {
      const { size, mode, mtime } = statSync(join(directory, name));
      return { name, size, mode: (mode & 0o777).toString(8), changed: mtime.toISOString() };
    }),
  };
}

/** The last lines of the service's log, where systemd keeps it. */
async function journal(unit: string): Promise<string> {
  const { stdout } = await promisify(execFile)("journalctl", ["-u", unit, "-n", String(logLines), "--no-pager", "-o", "short-iso"], {
    timeout: patience_ms,
    maxBuffer: maxPart,
  });
  return stdout;
}

async function within<T>(work: Promise<T> | T): Promise<T> {
  const done = new AbortController();
  const late = systemClock.sleep(patience_ms, done.signal).then(() => {
    throw new Error(`no answer within ${patience_ms / 1_000} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([Promise.resolve(work), late as Promise<never>]);
  } finally {
    done.abort();
  }
}
