/** `vedette verify`: proves the audit trail of a data directory, offline, against heads that were kept elsewhere. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Head, keyRing, readHeads, trailPaths, type Verdict, verifyChain } from "@vedette/audit";
import { ConfigError, jsonText } from "@vedette/kit";
import { safe } from "../output.ts";
import { Progress } from "../progress.ts";

interface Options {
  readonly dataDir?: string;
  readonly head?: readonly string[];
  readonly key?: readonly string[];
  readonly json?: boolean;
}

export async function verify(options: Options): Promise<void> {
  const directory = resolve(options.dataDir ?? process.env["VEDETTE_DATA"] ?? "./data");
  const paths = trailPaths(directory);
  if (!existsSync(paths.chain))
    throw new ConfigError("config_unreadable", `${directory} holds no audit trail; name the data directory with --data-dir`);
  const elsewhere = options.head ?? [];
  const keys = options.key ?? [paths.publicKey];
  const heads = [paths.heads, ...elsewhere].flatMap((path) => headsIn(path, elsewhere.includes(path)));
  const progress = new Progress(0);
  const verdict = await verifyChain({
    directory: paths.chain,
    heads,
    keys: keyRing(keys.map(text)),
    onProgress: (records) => progress.at(records, `${records} records verified`),
  });
  progress.clear();
  if (options.json) process.stdout.write(`${jsonText({ ...verdict, ok: verdict.bad === undefined, unknown: unknowns(options) })}\n`);
  else process.stdout.write(report(verdict, options));
  if (verdict.bad) process.exitCode = 1;
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (e) {
    throw new ConfigError("config_unreadable", `${path} cannot be read: ${(e as Error).message}`);
  }
}

function headsIn(path: string, asked: boolean): readonly Head[] {
  if (!asked && !existsSync(path)) return [];
  const { heads, unreadable } = readHeads(text(path));
  if (asked && heads.length === 0)
    throw new ConfigError("config_unreadable", `${path} holds no head; expected lines as vedette audit head prints them`);
  if (unreadable > 0) process.stderr.write(`${safe(path)}: ${unreadable} lines are no heads and were left out\n`);
  return heads;
}

function report({ records, erased, last, vouched, bad }: Verdict, options: Options): string {
  const lines: string[] = [];
  const read = `${records} records${erased > 0 ? `, ${erased} of them erased on the record` : ""}`;
  if (bad) lines.push(`BAD: ${safe(bad.message)} (${bad.code})`, `Good before it: ${read}.`);
  else lines.push(`Good: ${read}; the last is ${last?.n} of ${new Date((last?.time ?? 0) / 1_000).toISOString()}, ${last?.hash}.`);
  if (vouched >= 0) lines.push(`Heads vouch for records 0 to ${vouched}.`);
  return `${[...lines, ...unknowns(options)].join("\n")}\n`;
}

/** What this proof cannot tell, for want of something from another place. */
function unknowns({ head, key }: Options): readonly string[] {
  const unknown: string[] = [];
  if (head === undefined)
    unknown.push(
      "Not known: whether somebody with root on this host rewrote the whole trail or cut its end; that takes a head kept elsewhere (--head FILE).",
    );
  if (key === undefined)
    unknown.push(
      "Not known: whether the key is the installation's own; it was read beside the trail. Name a copy kept elsewhere (--key FILE).",
    );
  return unknown;
}
