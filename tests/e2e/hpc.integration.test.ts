/** What a cluster's people are promised of a running Vedette: a job's socket is an alert of the right job at once, a stolen key is one chain about its user. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { vedette } from "./cli.ts";
import { settledLedger, Vedette } from "./vedette.ts";

interface Alert {
  readonly severity: string;
  readonly summary: string;
  readonly rule: { readonly id: string };
  readonly entities: readonly { readonly type: string; readonly id: string }[];
}

let v: Vedette;
let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "vedette-hpc-"));
  v = new Vedette();
  await v.start("--no-demo");
});
afterAll(async () => {
  await v?.remove();
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});

const alertsOf = async (rule: string): Promise<readonly Alert[]> =>
  (await v.get<{ alerts: readonly Alert[] }>(`/api/v1/alerts?rule=${rule}`)).alerts;

async function ingest(source: string, lines: readonly object[]): Promise<void> {
  const body = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
  const answer = await v.fetch(`/ingest/${source}`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body });
  expect(answer.status).toBe(200);
}

/** A node of two users with a job each, as squeue and Tetragon tell of it; a program of the second's has forgotten its environment, and opens the socket. */
function scene(now: number) {
  const at = (s: number) => new Date(now + s * 1_000).toISOString();
  const set = (number: number) => ({ set: true, infinite: false, number });
  const queued = (job: number, uid: number, user: string) => ({
    job_id: job,
    job_state: ["RUNNING"],
    name: "solve",
    nodes: "cn7",
    node_count: set(1),
    partition: "batch",
    account: "physics",
    cluster: "hpc",
    user_id: uid,
    user_name: user,
    submit_time: set(Math.floor(now / 1_000) - 40),
    start_time: set(Math.floor(now / 1_000) - 30),
    end_time: set(Math.floor(now / 1_000) + 3_600),
  });
  const process = (id: string, pid: number, uid: number, binary: string, s: number, parent?: string) => ({
    exec_id: id,
    pid,
    uid,
    auid: uid,
    cwd: "/scratch",
    binary,
    flags: "execve clone",
    start_time: at(s),
    ...(parent && { parent_exec_id: parent }),
  });
  const meta = { plugins: { data_parser: "data_parser/v0.0.40" }, Slurm: { release: "23.11.7" } };
  const stepd = process("c3RlcGQ=", 1_001, 0, "/usr/sbin/slurmstepd", -29);
  const environment_variables = [{ key: "SLURM_JOB_ID", value: "4712" }];
  const shell = { ...process("c2hlbGw=", 1_002, 2_002, "/bin/bash", -28, stepd.exec_id), environment_variables };
  const agent = process("YWdlbnQ=", 1_003, 2_002, "/tmp/x/upd", -1, shell.exec_id);
  const exec = (one: object, parent: object, s: number) => ({
    process_exec: { process: one, parent },
    node_name: "cn7",
    time: at(s),
  });
  const sock_arg = {
    family: "AF_INET",
    type: "SOCK_STREAM",
    protocol: "IPPROTO_TCP",
    saddr: "10.32.0.7",
    daddr: "198.51.100.77",
    sport: 40_007,
    dport: 443,
    state: "TCP_SYN_SENT",
  };
  return {
    queue: { meta, jobs: [queued(4_711, 2_001, "ada"), queued(4_712, 2_002, "bob")], warnings: [], errors: [] },
    started: [exec(shell, stepd, -28), exec(agent, shell, -1)],
    socket: {
      process_kprobe: {
        process: agent,
        parent: shell,
        function_name: "tcp_connect",
        args: [{ sock_arg }],
        action: "KPROBE_ACTION_POST",
        policy_name: "egress",
      },
      node_name: "cn7",
      time: at(0),
    },
  };
}

test("a job's socket to a public address is an alert of the right job by two ways, with nothing coming after it", async () => {
  const { queue, started, socket } = scene(Date.now());
  await ingest("slurm-squeue", [queue]);
  await ingest("tetragon", started);
  await settledLedger(v);
  await ingest("tetragon", [socket]);
  // the queue was listed after the socket's time, where the machine is slow: then its word comes second
  const [alert] = await v.until(
    () => alertsOf("connect_back"),
    ([found]) => found?.summary.includes("its job by ancestry, schedule") === true,
  );
  expect(alert!.entities[0]).toEqual({ type: "hpc.job.id", id: "4712" });
  expect(alert!.summary).toContain("lies where anybody may write");
  expect(alert!.severity).toBe("high");
}, 300_000);

test("a stolen key is one alert of log-ins about its user, which lists the forty jobs that followed; nobody else is named", async () => {
  const args = ["--nodes", "12", "--duration", "1h", "--start", "2026-03-02T08:00:00Z", "--activity", "0.001", "--interval", "3600"];
  const sent = await vedette(
    ["simulate", "--seed", "4", ...args, "--scenario", "stolen_key@5m", "--to", v.url, "--out", "stolen", "--json"],
    {
      cwd: scratch,
      env: { VEDETTE_URL: v.url, VEDETTE_TOKEN: v.token },
    },
  );
  expect([sent.code, sent.stderr]).toEqual([0, ""]);
  const lines = readFileSync(join(scratch, "stolen/truth.ndjson"), "utf8").trim().split("\n");
  const [incident] = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "incident") as [{ user: string; jobs: number[] }];
  expect(incident.jobs).toHaveLength(40);
  const [chain, ...others] = await v.until(
    () => alertsOf("login_hopping"),
    (alerts) => alerts.some(({ summary }) => summary.includes("then began 40 jobs")),
  );
  expect(others).toEqual([]);
  expect(chain!.entities.filter(({ type }) => type === "user.name")).toEqual([{ type: "user.name", id: incident.user }]);
  expect(chain!.summary).toContain(`${Math.min(...incident.jobs)} to ${Math.max(...incident.jobs)}`);
}, 300_000);
