/** Makes many events of the real Zeek and sshd sets by re-keying them: new addresses, ids, users and times in each pass, from a seed. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { say } from "./harness.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
export const shared = process.env["VEDETTE_SHARED"] ?? join(repository, "../shared");
export const temporary = join(repository, "tests/.tmp");

export interface Corpus {
  readonly zeek: string;
  readonly sshd: string;
  readonly events: number;
  readonly bytes: number;
}

/** @returns files with `events` lines in all: nine tenths Zeek JSON, one tenth sshd */
export async function corpus(events: number, seed = 1): Promise<Corpus> {
  if (!existsSync(shared)) throw new Error(`this benchmark needs the data sets: ${shared} is not there (set VEDETTE_SHARED)`);
  mkdirSync(temporary, { recursive: true });
  const zeekEvents = Math.round(events * 0.9);
  const zeek = join(temporary, `zeek-${zeekEvents}-${seed}.ndjson`);
  const sshd = join(temporary, `sshd-hosts-${events - zeekEvents}-${seed}.log`);
  if (!existsSync(zeek)) await write(zeek, zeekLines(), zeekEvents, seed, rekeyJson);
  if (!existsSync(sshd)) await write(sshd, sshdLines(), events - zeekEvents, seed, rekeySshd);
  return { zeek, sshd, events, bytes: statSync(zeek).size + statSync(sshd).size };
}

export function zeekLines(): string[] {
  const folder = join(shared, "data/zeek-wrccdc/zeek-json");
  return readdirSync(folder)
    .filter((f) => f.endsWith(".gz"))
    .sort()
    .flatMap((f) =>
      gunzipSync(readFileSync(join(folder, f)))
        .toString()
        .split("\n")
        .filter((l) => l !== ""),
    );
}

export function sshdLines(): string[] {
  const text = execFileSync("tar", ["xJOf", join(shared, "data/loghub/Linux.tar.xz"), "--wildcards", "*Linux_2k.log"]).toString("latin1");
  return text.split("\n").filter((l) => l.includes("sshd"));
}

async function write(
  file: string,
  lines: readonly string[],
  count: number,
  seed: number,
  rekey: (line: string, pass: Pass) => string,
): Promise<void> {
  say(`making ${count} events in ${file}`);
  const out = createWriteStream(`${file}.part`);
  let chunk = "";
  for (let n = 0; n < count; n++) {
    const pass = passes(seed, Math.floor(n / lines.length));
    chunk += `${rekey(lines[n % lines.length]!, pass)}\n`;
    if (chunk.length < 1_048_576) continue;
    if (!out.write(chunk)) await once(out, "drain");
    chunk = "";
  }
  out.end(chunk);
  await once(out, "finish");
  renameSync(`${file}.part`, file);
}

/** Re-keyed Zeek lines without end, for what needs no file: the same as those of `corpus` with this seed. */
export function* rekeyedZeek(seed = 1): Generator<string, never> {
  const lines = zeekLines();
  for (let n = 0; ; n++) yield rekeyJson(lines[n % lines.length]!, passes(seed, Math.floor(n / lines.length)));
}

/** Other JSON lines re-keyed alike, with what else differs from one event to the next. */
export function* rekeyedJson(lines: readonly string[], also: (line: string, n: number) => string, seed = 1): Generator<string, never> {
  for (let n = 0; ; n++) yield also(rekeyJson(lines[n % lines.length]!, passes(seed, Math.floor(n / lines.length))), n);
}

/** As `rekeyedZeek`, of the sshd set. */
export function* rekeyedSshd(seed = 1): Generator<string, never> {
  const lines = sshdLines();
  for (let n = 0; ; n++) yield rekeySshd(lines[n % lines.length]!, passes(seed, Math.floor(n / lines.length)));
}

interface Pass {
  readonly n: number;
  readonly seed: number;
  readonly names: Map<string, string>;
}
let current: Pass | undefined;
function passes(seed: number, n: number): Pass {
  if (current?.n !== n || current.seed !== seed) current = { n, seed, names: new Map() };
  return current;
}

/** The same name becomes the same other name throughout a pass, and a different one in the next. */
function renamed(pass: Pass, kind: string, name: string, make: (digest: Buffer) => string): string {
  if (pass.n === 0) return name;
  const key = kind + name;
  let other = pass.names.get(key);
  if (other === undefined) {
    other = make(createHash("sha256").update(`${pass.seed}/${pass.n}/${key}`).digest());
    pass.names.set(key, other);
  }
  return other;
}

const address = (pass: Pass, ip: string) =>
  renamed(pass, "ip", ip, (d) => `${ip.startsWith("10.") ? 10 : (d[0]! % 190) + 11}.${d[1]}.${d[2]}.${d[3]}`);
const shift_s = (pass: Pass) => pass.n * 3_600;

/** Lines of JSON of any kind: their addresses, times and Zeek's ids. */
function rekeyJson(line: string, pass: Pass): string {
  return line
    .replace(/"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})"/g, (_, ip: string) => `"${address(pass, ip)}"`)
    .replace(
      /"([CF][0-9A-Za-z]{16,18})"/g,
      (_, id: string) =>
        `"${renamed(
          pass,
          "id",
          id,
          (d) =>
            id[0]! +
            d
              .toString("base64url")
              .replace(/[-_]/g, "x")
              .slice(0, id.length - 1),
        )}"`,
    )
    .replace(
      /"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+Z)"/g,
      (_, time: string, rest: string) => `"${new Date(Date.parse(`${time}Z`) + shift_s(pass) * 1_000).toISOString().slice(0, 19)}${rest}"`,
    );
}

/** Each pass is another machine's log: one machine's clock does not go back by the weeks that the set spans. */
function rekeySshd(line: string, pass: Pass): string {
  const time = new Date(Date.parse(`2026 ${line.slice(0, 15)} UTC`) + shift_s(pass) * 1_000);
  const stamp = `${["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2)} ${time.toISOString().slice(11, 19)}`;
  return (Number.isNaN(time.getTime()) ? line : stamp + line.slice(15))
    .replace(/\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}/g, (ip) => address(pass, ip))
    .replace(/^(.{15} )(\S+)/, (_, stamped: string, host: string) => (pass.n === 0 ? stamped + host : `${stamped}${host}-${pass.n}`))
    .replace(/\[(\d+)\]/, (_, pid: string) => `[${renamed(pass, "pid", pid, (d) => String(d.readUInt16LE(0)))}]`)
    .replace(
      /user=(\w+)/,
      (_, user: string) => `user=${user === "root" ? user : renamed(pass, "user", user, (d) => `u${d.toString("hex").slice(0, 6)}`)}`,
    );
}
