/**
 * Detection in a cluster: which raw partitions and shards this process works on, and what all of them have come to. Each item is worked on under a
 * lease; which items a process tries for follows from who is there. Knows no format, rule or driver.
 */
import { assign, type Cluster, type Member } from "@vedette/cluster";
import { type Clock, defineGauge, shardCount } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { DetectorLine, Micros } from "@vedette/model";
import type { CheckpointStore, EventStore } from "@vedette/store";
import type { Control } from "../control.ts";
import type { Detection } from "../detection.ts";
import { Engine, type EngineOptions, engineConsumer } from "../engine.ts";
import { keysInMemory, summed } from "../keyed.ts";
import { Ledger, type LedgerState } from "../ledger.ts";
import { SpareTime } from "../spare_time.ts";
import { type LeasedOptions, taken, whileHeld } from "./lease.ts";
import { Publisher } from "./publisher.ts";
import { ShardRunner, shardConsumer } from "./runner.ts";

export interface WorkersOptions {
  readonly cluster: Cluster;
  /** Who this process is, as it says now. */
  readonly member: () => Member;
  /** Whether this process analyses; if not, it only tells what others came to. */
  readonly works: boolean;
  readonly log: Log;
  /** Of the raw topic. */
  readonly partitions: number;
  readonly control: Control;
  readonly checkpoints: CheckpointStore;
  readonly events: EventStore;
  readonly clock: Clock;
  /** Of the engine of a partition. */
  readonly engine: (partition: number) => Omit<EngineOptions, "pass2" | "partition">;
  readonly onProblem: (code: string, message: string | undefined) => void;
}

interface Item {
  readonly work: Engine | ShardRunner;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}
interface Seen {
  readonly offset: number;
  readonly meta: { readonly ledger?: LedgerState; readonly stored?: Micros; readonly lines?: readonly DetectorLine[] };
}

/** How soon a process that went, or came, is noticed. */
const lookEvery_ms = 2_000;
const presentFor_ms = 8_000;
/** What this process stored events in is sealed when it is due; those who lead cannot do it for it. */
const sealEvery_ms = 30_000;
/** What others came to is read from their checkpoints so often at most. */
const refreshEvery_ms = 5_000;
const analyseRole = "analyse";
const partitionLag = defineGauge("partition_lag_batches", "Batches of a raw partition that its worker has not gone through durably.", [
  "partition",
]);
const shardLag = defineGauge("shard_lag_batches", "Records of a shard that its worker has not folded durably.", ["shard"]);
const rawItem = (partition: number): string => `raw/${partition}`;
const shardItem = (shard: number): string => `shard/${shard}`;

export class Workers implements Detection {
  readonly #options: WorkersOptions;
  readonly #running = new Map<string, Item>();
  readonly #items: readonly string[];
  /** Why work on an item ended here, until it goes on, here or elsewhere. */
  readonly #failed = new Map<string, string>();
  readonly #spare: SpareTime;
  #ledger = new Ledger();
  #lines: readonly DetectorLine[] = [];
  #reached: Micros = 0;
  #durable: readonly number[] = [];

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#spare = new SpareTime(options.clock);
    this.#items = [
      ...Array.from({ length: options.partitions }, (_, n) => rawItem(n)),
      ...Array.from({ length: shardCount }, (_, n) => shardItem(n)),
    ];
    partitionLag.readBy((set) => this.#tellLag("raw", set));
    shardLag.readBy((set) => this.#tellLag("shard", set));
  }

  /** Of what this process works on: each item is one process's. */
  async #tellLag(kind: "raw" | "shard", set: (lag: number, item: string) => void): Promise<void> {
    for (const [name, { work }] of this.#running) {
      const [of, number] = name.split("/") as [string, string];
      if (of !== kind) continue;
      const { end } = await this.#options.log.bounds(kind === "raw" ? "raw" : "observations", Number(number));
      set(Math.max(0, end - work.durable), number);
    }
  }

  get ledger(): Ledger {
    return this.#ledger;
  }
  get reached(): Micros {
    return this.#reached;
  }
  durableOf(partition: number): number {
    return this.#durable[partition] ?? 0;
  }
  detectors(): readonly DetectorLine[] {
    return this.#lines;
  }

  async load(): Promise<void> {
    await this.#refresh();
  }

  async behind(): Promise<number> {
    const { log, partitions } = this.#options;
    const seen = await this.#seen(partitions, engineConsumer);
    let waiting = 0;
    for (const [n, { offset }] of seen.entries()) waiting += Math.max(0, (await log.bounds("raw", n)).end - offset);
    return waiting;
  }
  /** First the raw partitions, then what they had told the shards by the time they were gone through. */
  async waitsFor(): Promise<() => Promise<boolean>> {
    const { partitions } = this.#options;
    let through = await this.#through("raw", partitions, engineConsumer);
    let told = false;
    return async () => {
      if (!(await through())) return false;
      if (told) return true;
      told = true;
      through = await this.#through("observations", shardCount, shardConsumer);
      return through();
    };
  }
  async #through(topic: "raw" | "observations", count: number, consumer: (n: number) => string): Promise<() => Promise<boolean>> {
    const { log } = this.#options;
    const ends = await Promise.all(Array.from({ length: count }, async (_, n) => (await log.bounds(topic, n)).end));
    return async () => {
      const seen = await this.#seen(count, consumer);
      return ends.every((end, n) => seen[n]!.offset >= end);
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, cluster, events, member, onProblem, works } = this.#options;
    let refreshed = 0;
    let sealed = clock.now();
    while (!signal.aborted) {
      try {
        await cluster.members.join(member(), presentFor_ms);
        if (works) await this.#share(signal);
        if (works && clock.now() - sealed >= sealEvery_ms * 1_000) {
          sealed = clock.now();
          this.#seal(events);
        }
        if (clock.now() - refreshed >= refreshEvery_ms * 1_000) {
          refreshed = clock.now();
          await this.#refresh();
        }
        onProblem("cluster_unavailable", undefined);
      } catch (e) {
        onProblem("cluster_unavailable", (e as Error).message);
      }
      await clock.sleep(lookEvery_ms, signal);
    }
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    await cluster.members.leave(member().name).catch(() => {});
  }

  /** Nothing waits for it: whether leases are renewed must not depend on a disk. */
  #seal(events: EventStore): void {
    const { onProblem } = this.#options;
    events.seal().then(
      () => onProblem("upkeep_failed", undefined),
      (e: Error) => onProblem("upkeep_failed", e.message),
    );
  }

  /** Begins what is its own by now and nobody holds, and lets go of what is another's. */
  async #share(signal: AbortSignal): Promise<void> {
    const { cluster, member } = this.#options;
    const { name } = member();
    const workers = (await cluster.members.list()).filter(({ roles }) => roles.includes(analyseRole)).map((one) => one.name);
    const leases = await cluster.leases.holders("");
    const held = new Map(leases.map((lease) => [lease.name, lease.holder]));
    const owners = assign(this.#items, workers, held);
    for (const item of this.#items) {
      const own = owners.get(item) === name;
      const running = this.#running.get(item);
      if (!own) {
        running?.stop.abort();
        this.#tell(item);
      } else if (!running && (held.get(item) ?? name) === name) await this.#begin(item, signal);
    }
  }

  async #begin(name: string, signal: AbortSignal): Promise<void> {
    const { cluster, clock, member, onProblem } = this.#options;
    const leasing: LeasedOptions = { leases: cluster.leases, holder: member().name, clock, onProblem };
    const lease = await taken(name, leasing);
    if (lease === undefined || signal.aborted) return;
    const stop = new AbortController();
    const [kind, number] = name.split("/") as ["raw" | "shard", string];
    const work = kind === "raw" ? this.#engineOf(name, Number(number)) : this.#shardOf(Number(number));
    const done = whileHeld(lease, leasing, AbortSignal.any([signal, stop.signal]), async (held) => {
      await work.load();
      this.#tell(name);
      await work.run(held);
    })
      .catch((e: Error & { code?: string }) => {
        // taken over by another: that one goes on where the last checkpoint left it
        if (e.code !== "conflict") this.#tell(name, e.message);
      })
      .finally(() => {
        this.#running.delete(name);
        this.#spare.busy(name, false);
      });
    this.#running.set(name, { work, stop, done });
  }

  /** @param message none: it is well again, or another's */
  #tell(name: string, message?: string): void {
    if (message !== undefined) this.#failed.set(name, message);
    else if (!this.#failed.delete(name)) return;
    const kind = name.slice(0, name.indexOf("/"));
    const [first] = [...this.#failed].filter(([item]) => item.startsWith(`${kind}/`));
    this.#options.onProblem(`${kind}_failed`, first?.join(": "));
  }

  #engineOf(name: string, partition: number): Engine {
    const { engine, log } = this.#options;
    const pass2 = new Publisher(log, partition, (busy) => this.#spare.busy(name, busy));
    return new Engine({ ...engine(partition), partition, pass2 });
  }

  #shardOf(shard: number): ShardRunner {
    const { log, partitions, checkpoints, events, clock, control, onProblem } = this.#options;
    const program = (hash: string) => control.find(hash);
    const bounds = { keys: Math.ceil(keysInMemory / 8), bytes: 4 * 1_048_576 };
    return new ShardRunner({ log, shard, partitions, checkpoints, events, clock, program, bounds, spare: this.#spare, onProblem });
  }

  /** Of each of so many partitions or shards, as of its last checkpoint; in one question. */
  async #seen(count: number, consumerOf: (n: number) => string): Promise<readonly Seen[]> {
    const names = Array.from({ length: count }, (_, n) => consumerOf(n));
    const rows = new Map((await this.#options.checkpoints.standing(names)).map((row) => [row.consumer, row]));
    return names.map((name) => {
      const { offset = 0, meta } = rows.get(name) ?? {};
      return { offset, meta: meta === undefined ? {} : (JSON.parse(meta) as Seen["meta"]) };
    });
  }

  async #refresh(): Promise<void> {
    const ledger = new Ledger();
    const durable: number[] = [];
    for (const { offset, meta } of await this.#seen(this.#options.partitions, engineConsumer)) {
      durable.push(offset);
      if (meta.ledger) ledger.merge(meta.ledger);
      this.#reached = Math.max(this.#reached, meta.stored ?? 0);
    }
    this.#ledger = ledger;
    this.#durable = durable;
    const shards = await this.#seen(shardCount, shardConsumer);
    this.#lines = summed(shards.flatMap(({ meta }) => meta.lines ?? []));
  }
}
