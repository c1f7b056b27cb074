import { shardCount } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import type { Observation } from "@vedette/model";
import { expect, test } from "vitest";
import type { Analysis } from "../analysis.ts";
import { Publisher } from "./publisher.ts";
import { decodeShardRecord } from "./record.ts";

const observation = (n: number) =>
  ({ detector: "d", key: `main\0${n}`, seen: 0, source: "s", stream: "", host: "h" }) as unknown as Observation;
const job = (last: number, keys: readonly number[]) =>
  ({ last, program: "p", keyed: keys.map((n) => ({ observe: observation(n) })) }) as unknown as Analysis;
const all = Array.from({ length: 500 }, (_, n) => n);

async function told(log: ReturnType<typeof memoryLog>) {
  const records = await Promise.all(
    Array.from({ length: shardCount }, async (_, shard) =>
      (await log.read("observations", shard, 0, 1e9)).map((entry) => decodeShardRecord((entry as { bytes: Uint8Array }).bytes)),
    ),
  );
  return records.flat().flatMap((one) => (one.kind === "steps" ? [one] : []));
}

const idle = { busy: false };

test("what half of the shards were told of a job before a crash, nobody is told twice, although the next run cuts its jobs otherwise", async () => {
  const log = memoryLog();
  let left = shardCount + 30;
  const dying = new Proxy(log, {
    get: (of, name) => {
      if (name !== "append") return Reflect.get(of, name).bind(of);
      return (...how: Parameters<typeof log.append>) => (left-- > 0 ? of.append(...how) : Promise.reject(new Error("killed")));
    },
  });
  const first = new Publisher(dying, 3);
  await first.load(undefined, [], 0, 1);
  const { publish } = await first.take(job(5, all), idle);
  await expect(publish!(0)).rejects.toThrow("killed");
  const before = (await told(log)).length;
  expect(before).toBe(30);

  const second = new Publisher(log, 3);
  await second.load(undefined, [], 0, 2);
  // a job of its own would go on to 9: it must end where the first run's did
  expect([4, 5, 9].map((offset) => second.endsAt(offset))).toEqual([false, true, false]);
  await (await second.take(job(5, all), idle)).publish!(0);
  const after = await told(log);
  expect(after.flatMap(({ steps }) => steps)).toHaveLength(500);
  expect(new Set(after.map(({ epoch }) => epoch))).toEqual(new Set([1, 2]));

  // another partition's records are none of its own
  const other = new Publisher(log, 4);
  await other.load(undefined, [], 0, 1);
  expect(other.endsAt(5)).toBe(false);
});
