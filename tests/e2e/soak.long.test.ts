/**
 * One process under steady load for as many events as VEDETTE_SOAK_EVENTS says: what it holds after collecting its garbage, and its descriptors, are
 * in the last quarter what they were in the second. Samples go to tests/.tmp/soak.csv as they are taken.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { rekeyedSshd, rekeyedZeek, shared, temporary } from "../bench/corpus.ts";

const events = Number(process.env["VEDETTE_SOAK_EVENTS"] ?? 100_000_000);
const samples = 40;
const linesAtOnce = 1_000;
/** Beyond so many that wait for analysis the sender waits: a steady load, not a heap of work. */
const maxPending = 50_000;
/** Of the last quarter against the second (issue 8). */
const most = 1.05;

interface Sample {
  readonly events: number;
  readonly heap: number;
  readonly external: number;
  /** DuckDB's and all else that is no heap of ours. */
  readonly native: number;
  readonly resident: number;
  readonly descriptors: number;
  readonly threads: number;
}
interface Probed {
  readonly threads: readonly { readonly heapUsed: number; readonly heapTotal: number; readonly external: number }[];
  readonly resident: number;
  readonly descriptors: number;
}

const held = ({ heap, external, native }: Sample): number => heap + external + native;
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

describe.skipIf(!existsSync(shared))("a soak", () => {
  test(`of ${events} events leaves memory and descriptors as they were`, { timeout: 14 * 86_400_000 }, async () => {
    mkdirSync(temporary, { recursive: true });
    const probe = join(temporary, `soak-probe-${process.pid}.json`);
    process.env["VEDETTE_SOAK_PROBE"] = probe;
    process.env["VEDETTE_NODE_FLAGS"] = `--expose-gc --import ${fileURLToPath(new URL("./soak_probe.mjs", import.meta.url))}`;
    // it reads the flags when it is loaded
    const { Program } = await import("../bench/program.ts");
    // old events go, so that a disk bears it
    const retention = ["network", "authentication", "process", "other"].map((name) => `${name}: { gb: 1 }`).join(", ");
    const program = new Program("soak", `events: { retention: { ${retention} } }\napi: { requests_per_minute: 1000000 }\n`);
    const csv = join(temporary, "soak.csv");
    try {
      await program.start();
      const pid = (JSON.parse(readFileSync(join(program.data, "LOCK"), "utf8")) as { readonly pid: number }).pid;
      const taken: Sample[] = [];
      const sender = new Sender((source, body) =>
        fetch(`${program.url}/ingest/${source}`, { method: "POST", body, headers: { ...program.headers, "content-type": "text/plain" } }),
      );
      writeFileSync(csv, "events,heap,external,native,resident,descriptors,threads\n");
      for (let n = 1; n <= samples; n++) {
        const until = Math.round((events * n) / samples);
        while (sender.sent < until) {
          await sender.send(Math.min(linesAtOnce * 10, until - sender.sent));
          while ((await program.taken()).pending > maxPending) await pause(200);
        }
        while ((await program.taken()).pending > 0) await pause(200);
        const sample = sampleOf(await probed(pid, probe), sender.sent);
        taken.push(sample);
        appendFileSync(csv, `${Object.values(sample).join(",")}\n`);
        const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
        process.stderr.write(
          `${sample.events} events: heap ${mb(sample.heap)} MB, external ${mb(sample.external)}, native ${mb(sample.native)}, resident ${mb(sample.resident)}, ${sample.descriptors} descriptors\n`,
        );
      }
      const [second, last] = [taken.slice(samples / 4, samples / 2), taken.slice((3 * samples) / 4)];
      // where a thread did not answer in time the sum lacks it
      const threads = Math.max(...taken.map((one) => one.threads));
      const of = (some: readonly Sample[], what: (sample: Sample) => number) =>
        mean(some.filter((one) => one.threads === threads).map(what));
      expect(of(last, held) / of(second, held)).toBeLessThanOrEqual(most);
      expect(of(last, (one) => one.descriptors)).toBeLessThanOrEqual(of(second, (one) => one.descriptors) * most + 5);
      expect((await program.taken()).unbalanced).toBe(0);
    } finally {
      await program.remove();
      rmSync(probe, { force: true });
    }
  });
});

/** Nine in ten are Zeek's, one is sshd's; each pass over the sets is of other addresses, ids and times. */
class Sender {
  sent = 0;
  readonly #post: (source: string, body: string) => Promise<Response>;
  readonly #sources = [
    { name: "zeek", lines: rekeyedZeek()[Symbol.iterator](), of: 9 },
    { name: "auth", lines: rekeyedSshd()[Symbol.iterator](), of: 1 },
  ];
  constructor(post: (source: string, body: string) => Promise<Response>) {
    this.#post = post;
  }
  async send(count: number): Promise<void> {
    for (const { name, lines, of } of this.#sources) {
      const share = name === "auth" ? count - Math.floor((count * 9) / 10) : Math.floor((count * of) / 10);
      for (let left = share; left > 0; left -= linesAtOnce) {
        const body = Array.from({ length: Math.min(left, linesAtOnce) }, () => `${lines.next().value}\n`).join("");
        for (;;) {
          const response = await this.#post(name, body);
          await response.text();
          if (response.ok) break;
          await pause(500);
        }
      }
    }
    this.sent += count;
  }
}

async function probed(pid: number, file: string): Promise<Probed> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  while (!existsSync(file)) await pause(100);
  return JSON.parse(readFileSync(file, "utf8")) as Probed;
}

function sampleOf({ threads, resident, descriptors }: Probed, events: number): Sample {
  const sum = (of: (thread: Probed["threads"][number]) => number) => threads.reduce((n, thread) => n + of(thread), 0);
  const [heap, external, reserved] = [sum((t) => t.heapUsed), sum((t) => t.external), sum((t) => t.heapTotal)];
  return { events, heap, external, native: Math.max(0, resident - reserved - external), resident, descriptors, threads: threads.length };
}
