/**
 * What goes wrong follows from a number: which process or server is killed, held, restarted, emptied or takes no writes, after how much was sent, and for how long. Whatever
 * it is, nothing acknowledged is lost, nothing alerts twice, and what is found is what one process finds that nothing happened to.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Chance } from "@vedette/kit";
import { expect } from "vitest";
import { settledLedger, Vedette } from "../vedette.ts";
import { attempts, type Batch, close, numberOf, post, sendAll } from "./attacks.ts";
import { alertsOf, type CameTo, Findings } from "./findings.ts";
import { detection, type Installation } from "./installation.ts";
import { type ServerName, serverNames } from "./servers.ts";

interface Fault {
  readonly victim: string;
  readonly how: "kill" | "end" | "hold" | "refuse" | "empty";
  /** Batches acknowledged before it. */
  readonly after: number;
  readonly for_ms: number;
}
interface Weighted {
  readonly victim: string;
  readonly weight: number;
}

/** A virtual machine takes seconds to start: those of Kafka and OpenSearch are killed less often, and held instead. */
const killed: readonly Weighted[] = [
  { victim: "kafka", weight: 1 },
  { victim: "postgres", weight: 4 },
  { victim: "redis", weight: 3 },
  { victim: "opensearch", weight: 1 },
];
/** Longer than a lease (10 s): when it goes on, others have its work, and it does not know. */
const pastLease_ms = 13_000;

/** One or two things, for a seed. @param processes by name @param patient whether there is time for what takes long */
function planOf(chance: Chance, processes: readonly string[], patient: boolean): readonly Fault[] {
  const faults = Array.from({ length: chance.whole(1, 2) }, (): Fault => {
    const after = chance.whole(1, 12);
    const short_ms = chance.whole(0, 2_000);
    if (chance.happens(0.55)) {
      const victim = chance.pick(processes);
      const how = chance.pick(["kill", "kill", "end", "hold"] as const);
      return { victim, how, after, for_ms: how === "hold" && patient && chance.happens(0.5) ? pastLease_ms : short_ms };
    }
    if (chance.happens(0.25)) {
      const victim = chance.pick(["postgres", "opensearch", "redis"] as const);
      return { victim, how: victim === "redis" ? "empty" : "refuse", after, for_ms: short_ms };
    }
    if (chance.happens(0.5)) return { victim: chance.pick(serverNames), how: "hold", after, for_ms: 1_000 + short_ms };
    return { victim: chance.weighted(killed).victim, how: chance.pick(["kill", "end"] as const), after, for_ms: short_ms };
  });
  return faults.sort((a, b) => a.after - b.after);
}

const told = ({ victim, how, after, for_ms }: Fault): string => `${how} ${victim} after ${after} batches for ${for_ms} ms`;

async function happen(installation: Installation, { victim: name, how, for_ms }: Fault): Promise<void> {
  const server = installation.servers.get(name as ServerName)!;
  if (how === "empty") return await server.empty();
  if (how === "refuse") {
    await server.refuse();
    await pause(for_ms);
    return await server.accept();
  }
  const victim = installation.victim(name);
  if (how === "hold") {
    victim.hold();
    await pause(for_ms);
    victim.goOn();
    return;
  }
  await (how === "kill" ? victim.kill() : victim.end());
  await pause(for_ms);
  await victim.start();
}

/** Sends what the seed has to send while its faults happen, one after the other; resolves when both are over. */
async function runSeed(installation: Installation, seed: number, patient: boolean): Promise<readonly Batch[]> {
  const chance = new Chance(seed);
  const plan = planOf(chance.fork("faults"), [...installation.processes.keys()], patient);
  process.stderr.write(`seed ${seed}: ${plan.map(told).join("; ")}\n`);
  const acknowledged: Batch[] = [];
  let look = () => {};
  const sent = (count: number) =>
    new Promise<void>((resolve) => {
      look = () => acknowledged.length >= count && resolve();
      look();
    });
  const sending = sendAll(installation.ingest, attempts(seed, chance.fork("attempts")), (batch) => {
    acknowledged.push(batch);
    look();
  });
  for (const fault of plan) {
    await sent(fault.after);
    await happen(installation, fault);
  }
  await sending;
  return acknowledged;
}

/** A watchdog: what is not there by then is lost. */
const patience_ms = 300_000;

/** Asks until it holds or the watchdog barks. @returns the last answer */
export async function eventually<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (const end = Date.now() + patience_ms; ; await pause(500)) {
    const answer = await ask().catch((e: Error) => e);
    if (answer instanceof Error) {
      if (Date.now() > end) throw answer;
    } else if (holds(answer) || Date.now() > end) return answer;
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** One process that takes in the same, in the same order for each sender, and that nothing happens to. */
async function undisturbed(batches: readonly Batch[]): Promise<CameTo & { readonly alerts: readonly string[] }> {
  const alone = new Vedette(`${detection}audit: {}\n`);
  try {
    await alone.start("--no-demo");
    for (const batch of batches) while (!(await post(alone, batch))) await pause(200);
    for (;;) {
      const alerts = await calm(async () => {
        await close(alone);
        await settledLedger(alone);
        await alone.until(
          () => behind(alone, "triage"),
          (batches) => batches === 0,
        );
        return await alertsOf(alone);
      });
      await alone.stop();
      const findings = await Findings.ofStopped(alone);
      const cameTo = await findings.cameTo().finally(() => findings.close());
      // a machine that stood still meanwhile looks as calm
      if (cameTo.findings.every(isFinal)) return { alerts, ...cameTo };
      await alone.start("--no-demo");
    }
  } finally {
    await alone.remove();
  }
}

const isFinal = (finding: string): boolean => finding.endsWith(" canonical");

/** Batches of the log that this consumer has before it. */
async function behind(v: Vedette, consumer: string): Promise<number> {
  const text = await (await v.fetch("/metrics")).text();
  return Number(new RegExp(`^vedette_consumer_lag_batches\\{consumer="${consumer}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

/** What it comes to once it has not changed for as long as the last word on a burst may take (installation.ts). */
async function calm<T>(ask: () => Promise<T>): Promise<T> {
  let since = Date.now();
  for (let before = await ask(); Date.now() < since + 15_000; await pause(1_000)) {
    const now = await ask();
    if (!same(before, now)) since = Date.now();
    before = now;
  }
  return await ask();
}

/** Runs the seeds one after the other on one installation, then looks at what it came to. @param before what it took in already */
export async function runSeeds(
  installation: Installation,
  seeds: readonly number[],
  { patient, before = [] }: { readonly patient: boolean; readonly before?: readonly Batch[] },
): Promise<void> {
  const batches = [...before];
  try {
    for (const seed of seeds) batches.push(...(await runSeed(installation, seed, patient)));
    await check(installation, batches);
  } catch (e) {
    throw new Error(`VEDETTE_SEED=${seeds[0]} (${seeds.length} seeds): ${(e as Error).message}\n${installation.said()}`, { cause: e });
  }
}

/** Which of the numbers are in the store of events not at all, and which more than once. */
async function account(serve: Vedette, numbers: readonly number[]): Promise<{ missing: number[]; twice: number[] }> {
  const counts = new Map(numbers.map((number) => [number, 0]));
  for (const { original } of await serve.events<{ readonly original: string }>("process.name:sshd")) {
    const number = numberOf(original);
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  const of = (holds: (count: number) => boolean) => [...counts].filter(([, count]) => holds(count)).map(([number]) => number);
  return { missing: of((count) => count === 0), twice: of((count) => count > 1) };
}

async function check(installation: Installation, batches: readonly Batch[]): Promise<void> {
  const { serve } = installation;
  const numbers = batches.flatMap(({ lines }) => lines.map(numberOf));
  // both take their time until what they found is final
  const [wanted, shown] = await Promise.all([
    undisturbed(batches),
    eventually(
      () => account(serve, numbers),
      ({ missing }) => missing.length === 0,
    ),
    close(installation.ingest),
  ]);
  expect(wanted.findings.length).toBeGreaterThan(0);
  expect(shown).toEqual({ missing: [], twice: [] });
  const findings = await Findings.ofInstallation(installation);
  const found = await eventually(
    async () => {
      await close(installation.ingest);
      return await findings.cameTo();
    },
    ({ digest }) => digest === wanted.digest,
  ).finally(() => findings.close());
  expect(found.findings).toEqual(wanted.findings);
  expect(found.digest).toBe(wanted.digest);
  expect(
    await eventually(
      () => alertsOf(serve),
      (alerts) => same(alerts, wanted.alerts),
    ),
  ).toEqual(wanted.alerts);
  // it says itself that it is well again, and nobody had to help
  for (const process of installation.processes.values())
    expect(
      await eventually(
        async () => (await process.fetch("/readyz")).status,
        (status) => status === 200,
      ),
    ).toBe(200);
}
