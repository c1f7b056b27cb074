/** What folding alerts and committing checkpoints costs on SQLite and on a PostgreSQL of this machine: rows a second, and CPU in our process. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Alert } from "@vedette/model";
import { openStore, type Store } from "@vedette/store";
import { PostgresServer, postgresMissing } from "../../../packages/store/src/testing/postgres.ts";
import { temporary } from "../corpus.ts";
import { costOf, percentile, print, say } from "../harness.ts";

/** Alerts folded at once: what a busy second gives; one of a quiet one costs the commit. */
const atOnce = 100;
/** Keys that change between two checkpoints, of some hundred bytes each. */
const keysAtOnce = 1_000;

/** @param rounds folds, and commits, on each */
export async function bench(rounds = 50): Promise<void> {
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "state-"));
  const details: { [name: string]: number | string } = { rounds, alerts_at_once: atOnce, keys_at_once: keysAtOnce };
  const server = postgresMissing() === undefined ? new PostgresServer() : undefined;
  try {
    const sqlite = await measure(details, "sqlite", await openStore({ directory: join(directory, "sqlite") }), rounds);
    let postgres = Number.NaN;
    if (server === undefined) say("no PostgreSQL here: SQLite alone is measured");
    else {
      await server.create();
      await server.start({ fsync: true });
      postgres = await measure(
        details,
        "postgres",
        await openStore({ directory: join(directory, "postgres"), postgres: server.settings() }),
        rounds,
      );
    }
    print({ name: "state", value: postgres, unit: "alerts folded a second on PostgreSQL", baseline: sqlite, details });
  } finally {
    await server?.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns alerts folded a second */
async function measure(details: { [name: string]: number | string }, name: string, store: Store, rounds: number): Promise<number> {
  try {
    const folded = await timed(rounds, (n) =>
      store.alerts.fold(
        n,
        Array.from({ length: atOnce }, (_, i) => ({ group: `g${i}`, alert: alertOf(`${n % 10}-${i}`, n) })),
        Array.from({ length: atOnce }, (_, i) => ({ id: `f${n}-${i}`, alert: `${n % 10}-${i}`, revision: 1, events: 1 })),
      ),
    );
    const epoch = await store.checkpoints.acquire("bench");
    const value = JSON.stringify({ state: "x".repeat(300) });
    const committed = await timed(rounds, (n) =>
      store.checkpoints.commit(
        "bench",
        epoch,
        n,
        "{}",
        Array.from({ length: keysAtOnce }, (_, i) => ({ shard: i % 64, key: `detector\0main\0host${n % 5}-${i}`, value, due: n })),
      ),
    );
    const empty = await timed(rounds, (n) => store.checkpoints.commit("bench", epoch, n, "{}", []));
    const rate = atOnce / (folded.mean_ms / 1_000);
    details[`${name}_alerts_per_s`] = rate;
    details[`${name}_fold_p50_ms`] = folded.p50_ms;
    details[`${name}_fold_cpu_ms`] = folded.cpu_ms;
    details[`${name}_commit_p50_ms`] = committed.p50_ms;
    details[`${name}_commit_cpu_ms`] = committed.cpu_ms;
    details[`${name}_keys_per_s`] = keysAtOnce / (committed.mean_ms / 1_000);
    details[`${name}_empty_commit_p50_ms`] = empty.p50_ms;
    return rate;
  } finally {
    await store.close();
  }
}

async function timed(rounds: number, work: (n: number) => Promise<void>) {
  const walls: number[] = [];
  const { cpu_s, wall_s } = await costOf(async () => {
    for (let n = 0; n < rounds; n++) {
      const begun = performance.now();
      await work(n);
      walls.push(performance.now() - begun);
    }
  });
  return { mean_ms: (wall_s * 1_000) / rounds, p50_ms: percentile(walls, 50), cpu_ms: (cpu_s * 1_000) / rounds };
}

/** As large as they are: five events of evidence with a dozen fields each. */
function alertOf(id: string, n: number): Alert {
  const fields = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`field.number.${i}`, `value ${n} of some length`]));
  const evidence = Array.from({ length: 5 }, (_, i) => ({
    id: `event-${id}-${i}`,
    time: n,
    source: "bench",
    seq: i,
    matches: [],
    fields,
    original: "x".repeat(200),
  }));
  return {
    id,
    tenant: "main",
    severity: "high",
    title: "Many failures",
    summary: `Failed ${n} times`,
    attack: ["T1110"],
    count: n,
    events: n,
    first_seen: 0,
    last_seen: n,
    created: 0,
    updated: n,
    rule: { id: "r1", title: "Rule one" },
    entities: [
      { type: "source.ip", id: `10.0.0.${n % 200}` },
      { type: "host.name", id },
    ],
    state: "open",
    demo: false,
    evidence,
    history: [],
  };
}
