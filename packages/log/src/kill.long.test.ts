/** kill -9 of a process that appends, in the full number. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { it } from "vitest";
import { killOnce, type Seen } from "./testing/kill.ts";

it("survives 1,000 kills, 20 in a row on each log", async () => {
  for (let round = 0; round < 50; round++) {
    const directory = await mkdtemp(`${tmpdir()}/vedette-kill-`);
    const seen: Seen = [new Map(), new Map()];
    for (let turn = 1; turn <= 20; turn++) await killOnce(directory, 1000 + round * 20 + turn, seen);
    await rm(directory, { recursive: true });
  }
});
