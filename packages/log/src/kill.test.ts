/** kill -9 of a process that appends: nothing acknowledged is lost, nothing is there twice. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { it } from "vitest";
import { killOnce, type Seen } from "./testing/kill.ts";

it("survives 10 kills in a row", async () => {
  const directory = await mkdtemp(`${tmpdir()}/vedette-kill-`);
  const seen: Seen = [new Map(), new Map()];
  for (let seed = 1; seed <= 10; seed++) await killOnce(directory, seed, seen);
  await rm(directory, { recursive: true });
});
