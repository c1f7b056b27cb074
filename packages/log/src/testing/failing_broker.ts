/** A broker killed, started again and paused while batches are appended: nothing accepted is lost, nothing is there twice but what was refused. For tests. */
import { mkdtemp, open as openFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect } from "vitest";
import { type Log, openLog } from "../index.ts";
import { batchBytes, batchOf, counter, stream } from "./model.ts";
import { seeded } from "./random.ts";

export interface FailingBroker {
  /** Where its files are. */
  readonly logs: string;
  /** HOST:PORT. */
  readonly broker: string;
  start(): Promise<void>;
  stop(signal: NodeJS.Signals): Promise<void>;
  pause(paused: boolean): void;
}

/** A broker of a suite's own, in a folder of its own, while the suite runs. @param make in this folder */
export function ownBroker<Broker extends FailingBroker>(make: (directory: string) => Broker): () => Broker {
  let directory: string;
  let broker: Broker | undefined;
  beforeAll(async () => {
    directory = await mkdtemp(`${tmpdir()}/vedette-kafka-`);
    broker = make(`${directory}/kafka`);
    await broker.start();
  });
  afterAll(async () => {
    broker?.pause(false);
    await broker?.stop("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  });
  return () => broker!;
}

const partitions = [0, 1, 2];
const never = new AbortController().signal;

/** Sends numbers to one partition, one after the other, each again until it is accepted: as a source does. */
class Sender {
  readonly accepted = new Map<number, number>();
  readonly refused = new Set<number>();
  next = 0;
  readonly #partition: number;
  constructor(partition: number) {
    this.#partition = partition;
  }
  async run(log: Log, choose: (n: number) => number, stop: AbortSignal, told: () => void): Promise<void> {
    while (!stop.aborted) {
      const number = this.next;
      const options = { positions: [{ stream: stream(this.#partition), value: `${number}` }], counts: { [counter(this.#partition)]: 1 } };
      try {
        const offset = await log.append("raw", this.#partition, batchBytes({ partition: this.#partition, number }, choose(3_000)), options);
        this.accepted.set(number, offset);
        this.next++;
      } catch (error) {
        expect(error).toMatchObject({ code: "kafka_unavailable", permanent: false });
        this.refused.add(number);
        // a refusal comes at once while no broker answers
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      told();
    }
  }
}

/** What lies in a partition, told by its own numbers, in order. */
async function readAll(log: Log, partition: number): Promise<number[]> {
  const numbers: number[] = [];
  const { end } = await log.bounds("raw", partition);
  for (let next = 0; next < end; ) {
    for (const entry of await log.read("raw", partition, next, 1 << 16)) {
      expect(entry.offset).toBe(next++);
      expect(entry).toHaveProperty("bytes");
      if ("bytes" in entry) numbers.push(batchOf(entry.bytes).number);
    }
  }
  return numbers;
}

/** @param prefix of topics that nobody has used yet */
export async function failBroker(broker: FailingBroker, prefix: string, seed: number, kills: number): Promise<void> {
  const open = () =>
    openLog({
      kafka: { brokers: [broker.broker], tls: undefined, sasl: undefined },
      prefix,
      partitions: { raw: partitions.length, observations: 1 },
      timeout_ms: 5_000,
    });
  let log = await open();
  const choose = seeded(seed);
  const senders = partitions.map((partition) => new Sender(partition));
  const stop = new AbortController();
  const until: { holds: () => boolean; done: () => void }[] = [];
  const told = () => {
    for (const one of until.filter(({ holds }) => holds())) {
      until.splice(until.indexOf(one), 1);
      one.done();
    }
  };
  const sees = (holds: () => boolean) => new Promise<void>((done) => until.push({ holds, done }));
  const total = () => senders.reduce((sum, { accepted }) => sum + accepted.size, 0);
  const more = async (count: number) => {
    const enough = total() + count;
    await sees(() => total() >= enough);
  };
  const running = senders.map((sender) => sender.run(log, choose, stop.signal, told));
  const follower = (async () => {
    let next = 0;
    while (next < 20) {
      await log.wait("raw", 0, next, never);
      next += (await log.read("raw", 0, next, 1 << 16)).length;
    }
  })();

  for (let kill = 0; kill < kills; kill++) {
    await more(20 + choose(60));
    await broker.stop("SIGKILL");
    await broker.start();
  }
  await more(20);
  broker.pause(true);
  const refusals = () => senders.reduce((sum, { refused }) => sum + refused.size, 0);
  const before = refusals();
  await sees(() => refusals() > before);
  broker.pause(false);
  await more(20);
  await follower;
  stop.abort();
  await Promise.all(running);

  const found = await Promise.all(partitions.map((partition) => readAll(log, partition)));
  for (const [partition, { accepted, refused, next }] of senders.entries()) {
    const numbers = found[partition]!;
    for (const [number, offset] of accepted) expect(numbers[offset]).toBe(number);
    const twice = numbers.filter((number, at) => numbers.indexOf(number) !== at);
    for (const number of twice) expect(refused).toContain(number);
    // whoever knows a batch by its position sees each once, in order
    const once = [...new Set(numbers)].filter((number) => number < next);
    expect(once).toEqual(Array.from({ length: next }, (_, number) => number));
  }
  // what was refused may come in late: of the same number then, with an older sequence
  const positions = new Map(found.map((numbers, partition) => [stream(partition), `${Math.max(...numbers)}`]));
  const counts = new Map(found.map((numbers, partition) => [counter(partition), numbers.length]));
  expect(await log.positions()).toEqual(positions);
  expect(await log.counts()).toEqual(counts);
  await log.close();
  log = await open();
  expect(await log.positions()).toEqual(positions);
  expect(await log.counts()).toEqual(counts);
  await log.close();
}

/** Flips a bit of a broker's file, somewhere in its middle, and expects a few damaged batches and everything else. @returns how many are damaged */
export async function damageBroker(broker: FailingBroker, prefix: string, seed: number): Promise<number> {
  const choose = seeded(seed);
  const kafka = { brokers: [broker.broker], tls: undefined, sasl: undefined };
  const open = () => openLog({ kafka, prefix, partitions: { raw: partitions.length, observations: 1 } });
  const count = 200;
  let log = await open();
  for (let number = 0; number < count; number += 4)
    await Promise.all(
      [0, 1, 2, 3].map((more) => log.append("raw", 0, batchBytes({ partition: 0, number: number + more }, 300 + choose(900)))),
    );
  await log.close();
  const path = `${broker.logs}/${prefix}.raw-0/00000000000000000000.log`;
  const { size } = await stat(path);
  const file = await openFile(path, "r+");
  const at = Math.floor(size / 4) + choose(Math.floor(size / 2));
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte[0]! ^= 1 << choose(8);
  await file.write(byte, 0, 1, at);
  await file.close();
  log = await open();
  const { end } = await log.bounds("raw", 0);
  expect(end).toBe(count);
  const damaged: number[] = [];
  for (let next = 0; next < end; ) {
    for (const entry of await log.read("raw", 0, next, 1 << 16)) {
      expect(entry.offset).toBe(next++);
      if ("damaged" in entry) damaged.push(entry.offset);
      else expect(batchOf(entry.bytes).number).toBe(entry.offset);
    }
  }
  // what Kafka keeps of a group besides its messages is not ours to check: a flip there may change nothing
  expect(damaged.length).toBeLessThanOrEqual(4);
  expect((await log.damage()).length).toBe(damaged.length);
  expect(await log.append("raw", 0, batchBytes({ partition: 0, number: end }, 300))).toBe(end);
  await log.close();
  return damaged.length;
}
