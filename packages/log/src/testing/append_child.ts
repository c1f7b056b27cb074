/** A process that appends without pause and prints each acknowledgement, until it is killed. For tests. */
import { writeSync } from "node:fs";
import { openLog } from "../index.ts";
import { batchBytes, counter, stream } from "./model.ts";
import { seeded } from "./random.ts";

const [directory = "", seed = "0", first = "0"] = process.argv.slice(2);
const choose = seeded(Number(seed));
const log = await openLog({ directory, segmentBytes: 64 << 10 });
let number = Number(first);

/** Eight appends are always under way, over two partitions; numbers rise per partition with the offsets. */
async function appendOn(): Promise<never> {
  for (;;) {
    const partition = choose(2);
    const mine = number++;
    const options = { positions: [{ stream: stream(partition), value: String(mine) }], counts: { [counter(partition)]: 1 } };
    const offset = await log.append("raw", partition, batchBytes({ partition, number: mine }, choose(3000)), options);
    writeSync(1, `${partition} ${offset} ${mine}\n`);
  }
}
await Promise.all(Array.from({ length: 8 }, appendOn));
