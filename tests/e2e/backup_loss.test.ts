/** What is lost with the disk: the schedule as it is by default, over a clock of its own, and records accepted each second. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Repository } from "@vedette/backup";
import type { Clock, Sealer } from "@vedette/kit";
import { openLog } from "@vedette/log";
import type { Micros } from "@vedette/model";
import { Backups } from "@vedette/pipeline";
import { openStore, type Store } from "@vedette/store";
import { expect, test } from "vitest";
import { backup } from "../../apps/vedette/src/config/sections/storage.ts";

/** The goal of R58 and R60. */
const goal: Micros = 60_000_000;
const second: Micros = 1_000_000;
const open: Sealer = { seal: (plain) => plain, open: (box) => box };
const keys = { wraps: { vault: open }, sealerOf: () => open };
const secret = Repository.newKey();

/** @param takes how long each backup takes, µs. @returns the age of the oldest record accepted that no finished backup has, over all moments */
async function mostLost(takes: Micros, every_min: number, runs: number): Promise<Micros> {
  const scratch = mkdtempSync(join(tmpdir(), "vedette-loss-"));
  const directory = join(scratch, "data");
  mkdirSync(directory);
  writeFileSync(join(directory, "format"), "1\n");
  const log = await openLog({ directory });
  const real = await openStore({ directory, memoryLimitMb: 64 });
  const stop = new AbortController();
  let now = Date.UTC(2026, 10, 21) * 1_000;
  const accepted: Micros[] = [];
  let kept = 0;
  let most = 0;
  let finished = 0;
  const pass = async (time: Micros) => {
    for (const end = now + time; now < end; ) {
      now += Math.min(second, end - now);
      await log.append("raw", 0, Buffer.from(`accepted at ${now}`));
      accepted.push(now);
      // whoever loses the disk at this moment has the newest backup that was finished
      most = Math.max(most, now - accepted[kept]!);
    }
  };
  const finish = async () => {
    await pass(takes);
    finished++;
  };
  const store: Store = {
    ...real,
    settings: {
      ...real.settings,
      // the last step of a backup before it counts
      set: (name, value) => (name === "backup.base" ? finish() : Promise.resolve()).then(() => real.settings.set(name, value)),
    },
  };
  let under = false;
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      // while one is made, its own steps move the time
      do {
        under = backups.status().running;
        await new Promise((r) => setImmediate(r));
      } while (backups.status().running);
      if (under && finished > 0) {
        const { id } = backups.status().last!;
        kept = (await repository.manifest(id)).about.log["raw/0"]!;
      }
      if (finished >= runs) stop.abort();
      await pass(ms * 1_000);
    },
  };
  const to = join(scratch, "to");
  const repository = await Repository.openToWrite(to, keys, secret);
  const schedule = { to, every_min, keep: { newest: 3, days: 0 }, bytesPerSecond: 1e9, drill_every_days: 0 };
  const backups = await Backups.open({ directory, store, keys, secret: async () => secret, version: "test", schedule, clock });
  try {
    await pass(second);
    await backups.follow(stop.signal);
    return most;
  } finally {
    await log.close();
    await real.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const { every_min } = backup.parse({});

test("with the disk goes less than a minute of what was accepted, also where a backup takes twenty seconds", async () => {
  const quick = await mostLost(second, every_min, 4);
  const slow = await mostLost(20 * second, every_min, 4);
  expect([quick, slow].map((lost) => lost <= goal)).toEqual([true, true]);
  // it is the interval and as long as one takes, and nothing besides
  expect([quick, slow].map((lost) => Math.round(lost / second / 5) * 5)).toEqual([30, 50]);
});
