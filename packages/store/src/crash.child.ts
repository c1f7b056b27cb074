/** A store user that is meant to be killed: puts batches as fast as it can, sealing often, and says which were acknowledged. Used by crash.test.ts. */
import { writeSync } from "node:fs";
import { eventOf } from "./crash.events.ts";
import { encodeEvents } from "./events/encode.ts";
import { openStore } from "./open.ts";

const [directory = "", count = "0", sealRows = "0"] = process.argv.slice(2);
const store = await openStore({ directory, sealRows: Number(sealRows) });
for (let offset = (await store.events.applied()) + 1; ; offset++) {
  const events = Array.from({ length: Number(count) }, (_, i) => eventOf(offset * Number(count) + i));
  await store.events.put(offset, 0, encodeEvents(events));
  writeSync(1, `${offset}\n`);
}
