/** From a job's socket, posted as Tetragon tells of it, to the alert that names the job, with the ways by which it is known. `--samples N` (50). */
import { loadavg } from "node:os";
import { option, percentile, print, say, spread } from "../harness.ts";
import { Program } from "../program.ts";

/** The goal. */
const goal_ms = 2_000;
/** A sample that takes longer counts as this long, and as missed. */
const patience_ms = 20_000;

interface Alert {
  readonly summary: string;
  readonly entities: readonly { readonly type: string; readonly id: string }[];
}

const set = (number: number) => ({ set: true, infinite: false, number });
const at = (ms: number) => new Date(ms).toISOString();
const node = (i: number) => `cn${String(i + 1).padStart(3, "0")}`;

/** Each sample is a job of its own user on its own node, so that no alert waits for another. */
const queued = (i: number, now: number) => ({
  job_id: 5_000 + i,
  job_state: ["RUNNING"],
  name: "solve",
  nodes: node(i),
  node_count: set(1),
  account: "physics",
  cluster: "hpc",
  user_id: 3_000 + i,
  user_name: `u${i}`,
  start_time: set(Math.floor(now / 1_000) - 60),
  end_time: set(Math.floor(now / 1_000) + 3_600),
});
const program = (i: number, now: number) => ({
  exec_id: Buffer.from(`agent ${i}`).toString("base64"),
  pid: 2_000 + i,
  uid: 3_000 + i,
  auid: 3_000 + i,
  cwd: "/scratch",
  binary: "/scratch/solve",
  start_time: at(now - 30_000),
  environment_variables: [{ key: "SLURM_JOB_ID", value: String(5_000 + i) }],
});
const socket = (i: number, now: number) => ({
  process_kprobe: {
    process: program(i, now),
    function_name: "tcp_connect",
    args: [
      {
        sock_arg: {
          family: "AF_INET",
          type: "SOCK_STREAM",
          protocol: "IPPROTO_TCP",
          saddr: `10.32.0.${i + 1}`,
          daddr: `198.18.${i}.9`,
          sport: 40_000 + i,
          dport: 443,
        },
      },
    ],
    action: "KPROBE_ACTION_POST",
    policy_name: "egress",
  },
  node_name: node(i),
  time: at(now),
});

export async function bench(): Promise<void> {
  const samples = Math.min(200, option("samples") ?? 50);
  const vedette = new Program("connect-back");
  const post = async (source: string, document: object): Promise<void> => {
    const headers = { ...vedette.headers, "content-type": "application/x-ndjson" };
    const answer = await fetch(`${vedette.url}/ingest/${source}`, { method: "POST", headers, body: `${JSON.stringify(document)}\n` });
    if (!answer.ok) throw new Error(`/ingest/${source}: ${answer.status} ${await answer.text()}`);
  };
  try {
    await vedette.start();
    const now = Date.now();
    const jobs = Array.from({ length: samples }, (_, i) => queued(i, now));
    await post("slurm-squeue", { meta: { plugins: { data_parser: "data_parser/v0.0.40" }, Slurm: { release: "23.11.7" } }, jobs });
    await vedette.settled(patience_ms);
    const latencies: number[] = [];
    let [two, wrong] = [0, 0];
    for (let i = 0; i < samples; i++) {
      const begun = performance.now();
      await post("tetragon", socket(i, Date.now()));
      const found = await alertOf(vedette, String(5_000 + i), begun);
      latencies.push(Math.min(patience_ms, performance.now() - begun));
      if (found === undefined) wrong++;
      else if (/its job by \w+, \w+/.test(found.summary)) two++;
    }
    say(`${two} of ${samples} by two ways or more`);
    print({
      name: "connect-back",
      value: percentile(latencies, 99),
      unit: "ms, p99 from a job's socket posted to the alert that names the job",
      baseline: goal_ms,
      details: { ...spread(latencies, "alert"), samples, by_two_ways: two, missed: wrong, load_average: loadavg()[0]! },
    });
  } finally {
    await vedette.remove();
  }
}

async function alertOf(program: Program, job: string, begun: number): Promise<Alert | undefined> {
  while (performance.now() - begun < patience_ms) {
    const { alerts } = await program.get<{ alerts: readonly Alert[] }>(`/api/v1/alerts?rule=connect_back&entity=${job}`);
    if (alerts[0] !== undefined) return alerts[0];
    await new Promise((r) => setTimeout(r, 10));
  }
  return undefined;
}
