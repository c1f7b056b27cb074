/**
 * A process that is cut off from a server while both run: what it sends, or only what it is answered, is dropped on its way without a word, as a
 * broken network does. By nftables, in a table of its own that touches nothing but what processes of one group send and get.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Chance } from "@vedette/kit";
import { attempts, type Batch, sendAll } from "./attacks.ts";
import type { Installation } from "./installation.ts";
import type { ServerName } from "./servers.ts";

/** Nobody has it, and no file belongs to it. */
export const cutOffGroup = 61_937;
const mark = 61_937;
const table = `vedette_${process.pid}`;

/** Why it cannot be done here. @throws in CI, where it has to be */
export function noPartitions(): string | undefined {
  const why =
    process.getuid?.() !== 0 ? "only root may drop packets" : existsSync("/usr/sbin/nft") ? undefined : "nftables is not installed";
  if (why !== undefined && process.env["CI"] === "true") throw new Error(`${why}: scripts/services install`);
  return why;
}

const nft = (rule: string) => execFileSync("/usr/sbin/nft", [rule]);

export class Partition {
  /** Before the processes of the group start: their connections are known by the first packet. */
  constructor() {
    nft(`add table inet ${table}`);
    nft(`add chain inet ${table} known { type filter hook output priority -10; }`);
    nft(`add chain inet ${table} cut { type filter hook output priority 0; }`);
    nft(`add rule inet ${table} known meta skgid ${cutOffGroup} ct mark set ${mark}`);
  }
  /** @param answers only they are lost: the server hears everything */
  cut(port: number, { answers }: { readonly answers: boolean }): void {
    nft(`add rule inet ${table} cut ct mark ${mark} tcp sport ${port} drop`);
    if (!answers) nft(`add rule inet ${table} cut ct mark ${mark} tcp dport ${port} drop`);
  }
  heal(): void {
    nft(`flush chain inet ${table} cut`);
  }
  remove(): void {
    nft(`delete table inet ${table}`);
  }
}

/** Longer than a lease: others have its work by then. */
const cut_ms = 12_000;

/** Sends while the process of the group does not reach the server. @returns what was acknowledged */
export async function isCutOff(
  { servers, ingest }: Installation,
  partition: Partition,
  from: ServerName,
  { answers, seed }: { readonly answers: boolean; readonly seed: number },
): Promise<readonly Batch[]> {
  const all = attempts(seed, new Chance(seed));
  const sent: Batch[] = [];
  const send = (part: typeof all) => sendAll(ingest, part, (batch) => sent.push(batch));
  await send(all.map((own) => own.slice(0, 2)));
  partition.cut(servers.get(from)!.port, { answers });
  try {
    await Promise.all([send(all.map((own) => own.slice(2, 4))), pause(cut_ms)]);
  } finally {
    partition.heal();
  }
  await send(all.map((own) => own.slice(4)));
  return sent;
}
