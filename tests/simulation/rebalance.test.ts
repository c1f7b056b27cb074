/** How long nobody works on a share of the work when a process comes, goes or dies: leases watched over the time of a simulated world. */

import { inProcessCluster } from "@vedette/cluster";
import { shardCount } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import { expect, test } from "vitest";
import { Node } from "./cluster.ts";
import { MemoryEvents } from "./events.ts";
import { begin, inputOf } from "./input.ts";
import { prepare } from "./process.ts";
import { emptyState } from "./state.ts";
import { ms, second, World } from "./world.ts";

/** The goal of issue 8. A process that dies is missed by the end of its leases, which are ten seconds. */
const goal_s = 5;
const lease_s = 10;
const look_s = 2;

test("a share of the work waits less than five seconds when a process comes or goes, and a lease longer when one dies", async () => {
  await prepare();
  const world = new World(1, begin);
  const place = inProcessCluster({ now: () => world.now, sleep: (delay_ms) => world.sleep(delay_ms * ms) });
  const servers = { log: memoryLog(), place, state: await emptyState(), events: new MemoryEvents(true) };
  const [a, b, c] = ["a", "b", "c"].map((name) => new Node(name, world, servers, inputOf(1), { accepted: new Set() })) as [
    Node,
    Node,
    Node,
  ];

  const held = async () => new Set((await place.leases.holders("shard/")).map(({ name }) => name));
  /** The longest that any shard has no holder within half a minute. */
  const pause = async (): Promise<number> => {
    const since = new Map<string, number>();
    let longest = 0;
    for (const end = world.now + 30 * second; world.now < end; await world.sleep(50 * ms)) {
      const now = await held();
      for (let shard = 0; shard < shardCount; shard++) {
        const name = `shard/${shard}`;
        if (now.has(name)) since.delete(name);
        else if (!since.has(name)) since.set(name, world.now);
        longest = Math.max(longest, world.now - (since.get(name) ?? world.now));
      }
    }
    expect((await held()).size).toBe(shardCount);
    return longest / second;
  };
  const holders = async () => new Set((await place.leases.holders("shard/")).map(({ holder }) => holder)).size;

  const play = async () => {
    await a.start();
    await world.sleep(20 * second);
    await b.start();
    await c.start();
    const came = await pause();
    expect(await holders()).toBe(3);
    await c.running!.runtime.stop();
    const went = await pause();
    expect(await holders()).toBe(2);
    const dead = b.running!.life.name;
    const at = world.now;
    b.kill();
    const its = async () => (await place.leases.holders("shard/")).some(({ holder }) => holder === dead);
    while ((await its()) || (await held()).size < shardCount) await world.sleep(50 * ms);
    expect(await holders()).toBe(1);
    return { came, went, died: (world.now - at) / second };
  };
  const { came, went, died } = await world.run(play(), 2_000_000);
  expect(came).toBeLessThan(goal_s);
  expect(went).toBeLessThan(goal_s);
  expect(died).toBeGreaterThan(goal_s);
  expect(died).toBeLessThan(lease_s + 2 * look_s);
  process.stderr.write(`longest pause of a shard: ${came} s when two came, ${went} s when one went, ${died} s when one died\n`);
});
