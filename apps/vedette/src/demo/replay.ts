/** Replays the bundled scenario through the real ingest path at a few hundred events a second. */
import type { Clock, Intake } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import { demoPerSecond, demoRecords } from "./scenario.ts";

const batch = 40;

export async function replayDemo(open: (stream: string) => Intake, clock: Clock, signal: AbortSignal): Promise<void> {
  const records = [...demoRecords(clock.now())];
  // one run's positions differ from another's: a demo played again is new events
  const run = clock.now().toString(36);
  for (let at = 0; at < records.length && !signal.aborted; at += batch) {
    const streams = new Map<string, RawRecord[]>();
    for (const [i, { stream, line }] of records.slice(at, at + batch).entries()) {
      const list = streams.get(stream) ?? [];
      list.push({ position: `${run}:${at + i}`, body: Buffer.from(line) });
      streams.set(stream, list);
    }
    await Promise.all([...streams].map(([stream, list]) => open(stream).accept(list)));
    await clock.sleep((batch / demoPerSecond) * 1_000, signal);
  }
}
