/** A chain in memory, and every way somebody could lie with it; each knows the first record that it makes bad. For tests alone. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chance, systemClock } from "@vedette/kit";
import { AuditChain } from "./chain.ts";
import { type Head, Heads, readHeads } from "./head.ts";
import { keyRing } from "./key.ts";
import { type Last, lineOf, readLine } from "./line.ts";
import { type Verdict, verifyChain } from "./verify.ts";

export type Choose = (below: number) => number;

/** Choices that a failing run can make again. */
export function seeded(seed: number): Choose {
  const chance = new Chance(seed);
  return (below) => chance.whole(0, below - 1);
}

export interface Made {
  /** Lines without newlines, in order. */
  readonly lines: readonly string[];
  readonly heads: readonly Head[];
  readonly publicKey: string;
}

/** A chain of `count` records with heads published along the way, over the real code. */
export async function madeChain(count: number): Promise<Made> {
  const directory = await mkdtemp(join(tmpdir(), "vedette-audit-"));
  try {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
    const id = [...keyRing([pem]).keys()][0]!;
    let signing: Heads | undefined;
    const chain = await AuditChain.open({ directory, clock: systemClock, segmentBytes: 2_000, onRecord: (link) => signing?.add(link) });
    const path = join(directory, "heads.ndjson");
    signing = await Heads.open({
      chain,
      first: chain.last,
      key: { secret: privateKey, id },
      clock: systemClock,
      local: path,
      outside: [],
      onProblem: () => {},
    });
    for (let n = 1; n < count; n++) {
      await chain.append({ "event.action": n % 3 === 0 ? "rule_disabled" : "login", "user.name": `user${n}`, "vedette.audit.rows": n });
      if (n % 7 === 0) await signing.publish();
    }
    await signing.publish();
    await chain.close();
    const { heads } = readHeads(await readFile(path, "utf8"));
    const names = (await readdir(directory)).filter((name) => name.endsWith(".audit")).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
    return { lines: texts.join("").trimEnd().split("\n"), heads, publicKey: pem };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Verifies these bytes as a chain of one file. */
export async function verdictOn(bytes: string | Uint8Array, made: Made, heads: readonly Head[]): Promise<Verdict> {
  const directory = await mkdtemp(join(tmpdir(), "vedette-audit-"));
  try {
    await writeFile(join(directory, "0000000000000000.audit"), bytes);
    return await verifyChain({ directory, heads, keys: keyRing([made.publicKey]) });
  } finally {
    await rm(directory, { recursive: true });
  }
}

export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

/** The records from `from` on chained anew, with one body changed: what somebody with the code but without the key can do. */
function rewritten(lines: readonly string[], from: number, body: string): readonly string[] {
  const out = lines.slice(0, from);
  let last: Last = from === 0 ? undefined : linkOf(lines[from - 1]!);
  for (const [i, line] of lines.slice(from).entries()) {
    const old = linkOf(line);
    const next = lineOf(last, old.time, i === 0 ? body : old.body.toString());
    out.push(next.text.slice(0, -1));
    last = next.link;
  }
  return out;
}

function linkOf(line: string) {
  const read = readLine(Buffer.from(line));
  if ("flaw" in read) throw new Error(read.flaw);
  return read;
}

interface Tampered {
  readonly kind: string;
  readonly bytes: string | Uint8Array;
  /** The first record that is not as it was written. */
  readonly first: number;
}

/** One lie about a chain, drawn at random. All but the edits of one byte keep every line well-formed. */
export function tampered({ lines }: Made, choose: Choose): Tampered {
  const count = lines.length;
  const k = choose(count);
  const kinds: readonly (() => Tampered)[] = [
    () => {
      const bytes = Buffer.from(textOf(lines));
      const at = choose(bytes.length);
      bytes[at] = bytes[at]! ^ (1 << choose(8));
      let start = 0;
      const first = lines.findIndex((line) => {
        start += Buffer.byteLength(line) + 1;
        return at < start;
      });
      return { kind: "one bit flipped", bytes, first };
    },
    () => ({ kind: "a record deleted", bytes: textOf(lines.filter((_, i) => i !== k)), first: k }),
    () => ({ kind: "the end cut off", bytes: textOf(lines.slice(0, k)), first: k }),
    () => ({ kind: "a record doubled", bytes: textOf([...lines.slice(0, k + 1), ...lines.slice(k)]), first: k + 1 }),
    () => {
      const other = (k + 1 + choose(count - 1)) % count;
      const moved = [...lines];
      [moved[k], moved[other]] = [moved[other]!, moved[k]!];
      return { kind: "two records swapped", bytes: textOf(moved), first: Math.min(k, other) };
    },
    () => ({ kind: "rewritten from a record on", bytes: textOf(rewritten(lines, k, '{"event.action":"nothing"}')), first: k }),
    () => {
      const forged = rewritten(lines.slice(0, k + 1), k, '{"event.action":"nothing"}')[k]!;
      return {
        kind: "a record replaced, its hash made to fit",
        bytes: textOf(lines.map((line, i) => (i === k ? forged : line))),
        first: k,
      };
    },
    () => {
      const body = lines[k]!.lastIndexOf("\t") + 1;
      const changed = `${lines[k]!.slice(0, body)}{"event.action":"nothing"}`;
      return { kind: "a body replaced", bytes: textOf(lines.map((line, i) => (i === k ? changed : line))), first: k };
    },
    () => {
      const bytes = Buffer.from(textOf(lines));
      const before = Buffer.byteLength(textOf(lines.slice(0, k)));
      return {
        kind: "cut in the middle of a record",
        bytes: bytes.subarray(0, before + 1 + choose(Buffer.byteLength(lines[k]!))),
        first: k,
      };
    },
  ];
  return kinds[choose(kinds.length)]!();
}
