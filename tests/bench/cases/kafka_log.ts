/** What the log costs on Kafka beside segment files, in one process: MB appended and read per CPU second of ours; the broker's own CPU beside. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { kafkaAdmin } from "@vedette/kafka";
import { type Log, openLog } from "@vedette/log";
import { service } from "../../e2e/services.ts";
import { temporary } from "../corpus.ts";
import { type Cost, costOf, percentile, print } from "../harness.ts";

/** As intake sends them: some thousand lines. */
const batchBytes = 512 << 10;
/** Sent without waiting for one another, as by that many busy sources. */
const underWay = 8;
/** The kernel's ticks of a process's CPU time: USER_HZ is 100 on every Linux that Node runs on. */
const ticks = 100;

/** @param batches appended to each */
export async function bench(batches = 400): Promise<void> {
  const kafka = service("kafka");
  if (kafka === undefined) throw new Error("it needs a broker: scripts/services up kafka");
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "kafka-log-"));
  const connection = { brokers: [`${kafka.host}:${kafka.port}`], tls: undefined, sasl: undefined };
  const prefix = `bench-${process.pid}`;
  const details: { [name: string]: number | string } = { batches, batch_kb: batchBytes / 1024, under_way: underWay };
  try {
    const segments = await measure(details, "segments", await openLog({ directory }), batches);
    const before = cpuOf(kafka.pid);
    const value = await measure(details, "kafka", await openLog({ kafka: connection, prefix, partitions: { observations: 1 } }), batches);
    details["broker_cpu_s"] = cpuOf(kafka.pid) - before;
    print({ name: "kafka_log", value, unit: "MB appended and read per CPU second of ours", baseline: segments, details });
  } finally {
    const admin = await kafkaAdmin(connection, { retries: 3 });
    const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`));
    if (mine.length > 0) await admin.deleteTopics({ topics: mine });
    await admin.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @returns MB appended and read again per CPU second */
async function measure(details: { [name: string]: number | string }, name: string, log: Log, batches: number): Promise<number> {
  // made beforehand: making them costs more than keeping them
  const made = Array.from({ length: 16 }, (_, number) => batch(number));
  // one of each goes before, so that starting is not counted
  await log.append("dead", 0, made[0]!);
  await log.read("dead", 0, 0, 1);
  const waits: number[] = [];
  const appended = await costOf(async () => {
    let next = 0;
    const one = async () => {
      while (next < batches) {
        const number = next++;
        const start = performance.now();
        await log.append("raw", 0, made[number % made.length]!, {
          positions: [{ stream: "bench", value: `${number}` }],
          counts: { "in/bench": 1 },
        });
        waits.push(performance.now() - start);
      }
    };
    await Promise.all(Array.from({ length: underWay }, one));
  });
  const read = await costOf(async () => {
    for (let next = 0; next < batches; ) next += (await log.read("raw", 0, next, 4 << 20)).length;
  });
  await log.close();
  const mb = (batches * batchBytes) / 1e6;
  const tell = (what: string, { cpu_s, wall_s }: Cost) => {
    details[`${name}_${what}_mb_per_cpu_s`] = mb / cpu_s;
    details[`${name}_${what}_mb_per_s`] = mb / wall_s;
  };
  tell("append", appended);
  tell("read", read);
  details[`${name}_append_p50_ms`] = percentile(waits, 50);
  details[`${name}_append_p99_ms`] = percentile(waits, 99);
  return mb / (appended.cpu_s + read.cpu_s);
}

/** Lines that compress as logs do. */
function batch(number: number): Uint8Array {
  const lines: string[] = [];
  for (let bytes = 0, line = number * 7_919; bytes < batchBytes; line++) {
    const text = `{"ts":${1_700_000_000 + line}.${line % 977},"uid":"C${(line * 2_654_435_761) % 4_294_967_291}","id.orig_h":"10.0.${line % 251}.${(line * 31) % 253}","id.orig_p":${1024 + ((line * 17) % 60_000)},"id.resp_h":"10.9.${line % 17}.${line % 241}","id.resp_p":443,"proto":"tcp","service":"ssl","duration":${(line % 9_973) / 100},"orig_bytes":${line % 99_991},"resp_bytes":${(line * 13) % 999_983},"conn_state":"SF"}\n`;
    lines.push(text);
    bytes += text.length;
  }
  return Buffer.from(lines.join("")).subarray(0, batchBytes);
}

/** CPU seconds of another process of this machine. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}
