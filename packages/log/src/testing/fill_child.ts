/** Fills the disk under a directory through the log, makes room, and prints what happened. For tests. */
import { randomBytes } from "node:crypto";
import { VedetteError } from "@vedette/kit";
import { openLog } from "../index.ts";

const [directory = ""] = process.argv.slice(2);
const options = { directory: `${directory}/data`, segmentBytes: 2 << 20 };
let log = await openLog(options);
const accepted = new Map<number, string>();
let refused = "";
for (let number = 0; refused === "" && number < 1000; number++) {
  // Random, so that compression does not help.
  const batch = randomBytes(100_000);
  try {
    accepted.set(await log.append("raw", 0, batch), batch.toString("base64", 0, 30));
  } catch (cause) {
    refused = cause instanceof VedetteError ? cause.code : String(cause);
  }
}
await log.close();

log = await openLog(options);
let lost = accepted.size;
let ghosts = 0;
let damaged = (await log.damage()).length;
const { end } = await log.bounds("raw", 0);
for (let next = 0; next < end; ) {
  for (const entry of await log.read("raw", 0, next, 1 << 20)) {
    next = entry.offset + 1;
    if ("damaged" in entry) damaged++;
    else if (accepted.get(entry.offset) === Buffer.from(entry.bytes).toString("base64", 0, 30)) lost--;
    else ghosts++;
  }
}
await log.retain("raw", 0, end, 0);
const after = await log.append("raw", 0, randomBytes(100_000)).then(
  (offset) => (offset === end ? "accepted" : `at ${offset}`),
  (cause) => String(cause),
);
await log.close();
process.stdout.write(JSON.stringify({ accepted: accepted.size, refused, lost, ghosts, damaged, after }));
