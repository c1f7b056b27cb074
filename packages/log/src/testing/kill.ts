/** Kills an appending process with SIGKILL and holds the log it leaves against what it had acknowledged. For tests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openLogHere } from "../segments.ts";
import { counter, readAll, stream } from "./model.ts";
import { seeded } from "./random.ts";

/** Per partition: offset → number, of all that was acknowledged or read before. */
export type Seen = readonly [Map<number, number>, Map<number, number>];

/** Numbers of one run begin here, times its seed. */
const RUN = 1_000_000;

/** Lets the child acknowledge some batches, kills it, and checks. `seen` is filled. */
export async function killOnce(directory: string, seed: number, seen: Seen): Promise<void> {
  const script = fileURLToPath(new URL("./append_child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=source", script, directory, String(seed), String(seed * RUN)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => {
    said += bytes.toString();
  });
  const exited = once(child, "close");
  const killAfter = 1 + seeded(seed)(300);
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const parts = line.split(" ").map(Number);
    if (parts.length < 3) continue;
    const [partition, offset, number] = parts as [0 | 1, number, number];
    if (seen[partition].has(offset)) throw new Error(`offset ${offset} of partition ${partition} acknowledged twice`);
    seen[partition].set(offset, number);
    if (++acknowledged === killAfter) child.kill("SIGKILL");
  }
  const [, signal] = await exited;
  if (signal !== "SIGKILL") throw new Error(`seed ${seed}: the child ended by itself after ${acknowledged} acknowledgements: ${said}`);
  await checkLeft(directory, seen);
}

async function checkLeft(directory: string, seen: Seen): Promise<void> {
  const log = await openLogHere({ directory, segmentBytes: 64 << 10 });
  const positions = await log.positions();
  const counts = await log.counts();
  for (const [partition, known] of seen.entries()) {
    const { batches, damaged } = await readAll(log, partition);
    if (damaged.size > 0) throw new Error(`damaged: ${[...damaged]}`);
    for (const [offset, number] of known) {
      if (batches.get(offset) !== number)
        throw new Error(`partition ${partition}: ${number} was acknowledged at ${offset}, found ${batches.get(offset)}`);
    }
    const numbers = [...batches.values()];
    if (new Set(numbers).size !== numbers.length) throw new Error(`partition ${partition} holds a batch twice`);
    const last = numbers.at(-1);
    if (positions.get(stream(partition)) !== (last === undefined ? undefined : String(last))) throw new Error("position");
    if ((counts.get(counter(partition)) ?? 0) !== batches.size) throw new Error("count");
    for (const [offset, number] of batches) known.set(offset, number);
  }
  await log.close();
}
