/** A real one-node Slurm against the real program: what its jobcomp plug-in posts of a job, and what squeue says, are the job's events and its row. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "./free_port.ts";
import { Vedette } from "./vedette.ts";

const plugin = "/usr/lib/x86_64-linux-gnu/slurm-wlm/jobcomp_elasticsearch.so";
/** Debian: slurmctld slurmd slurm-client slurm-wlm-elasticsearch-plugin. slurmd starts jobs as their users, which is root's to do. */
const absent = ["/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/sbatch", plugin].filter((file) => !existsSync(file));
const skip = absent.length > 0 || userInfo().uid !== 0;
if (skip) console.warn(`slurm: skipped, ${absent.length > 0 ? `not installed: ${absent.join(", ")}` : "not root"}`);

const started: ChildProcess[] = [];
let v: Vedette | undefined;
afterAll(async () => {
  for (const child of started) child.kill("SIGKILL");
  await v?.remove();
});

const node = hostname().split(".")[0]!;

/** A cluster of this machine alone, without munge: nobody else speaks with it. */
const configuration = (folder: string, [controller, daemon]: readonly [number, number], target: string): string => `ClusterName=hpc
SlurmctldHost=${node}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${daemon}
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/elasticsearch
JobCompLoc=${target}
ReturnToService=2
NodeName=${node} NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN
PartitionName=batch Nodes=${node} Default=YES MaxTime=10 State=UP
`;

interface Row {
  readonly job: string;
  readonly user?: string;
  readonly partition?: string;
  readonly nodes: readonly string[];
  readonly states: readonly string[];
}
interface Found {
  readonly fields: { readonly [name: string]: unknown };
}

test.skipIf(skip)("a job of a real Slurm is told by its plug-in and by squeue, and is one row", { timeout: 240_000 }, async () => {
  v = new Vedette();
  await v.start("--no-demo");
  const folder = join(v.directory, "slurm");
  for (const name of ["state", "spool"]) mkdirSync(join(folder, name), { recursive: true });
  const file = join(folder, "slurm.conf");
  const env = { ...process.env, SLURM_CONF: file };
  // the token is the password within the address, as `vedette source config --for slurm` writes it
  const target = `${v.url.replace("://", `://vedette:${v.token}@`)}/slurm/_doc`;
  writeFileSync(file, configuration(folder, [await freePort(), await freePort()], target));
  started.push(spawn("/usr/sbin/slurmctld", ["-D", "-c"], { env, stdio: "ignore" }));
  started.push(spawn("/usr/sbin/slurmd", ["-D", "-N", node], { env, stdio: "ignore" }));
  const ask = (command: string, ...args: string[]): string => {
    try {
      return execFileSync(command, args, { env, stdio: ["ignore", "pipe", "ignore"], timeout: 30_000 }).toString();
    } catch {
      return "";
    }
  };
  await v.until(
    () => Promise.resolve(ask("/usr/bin/sinfo", "-h", "-o", "%t")),
    (state) => state.startsWith("idle"),
  );
  const job = ask("/usr/bin/sbatch", "--parsable", "-J", "vedette_test", "-o", "/dev/null", "--wrap", "sleep 1").trim();
  expect(job).toMatch(/^\d+$/);
  const queue = await v.until(
    () => Promise.resolve(ask("/usr/bin/squeue", "--json")),
    (text) => text.includes(`"RUNNING"`) || text.includes(`"COMPLETED"`),
  );
  const sent = await v.fetch("/ingest/squeue", { method: "POST", headers: { "content-type": "application/json" }, body: queue });
  expect(sent.status).toBe(200);
  // the plug-in posts each half a minute
  const [told] = await v.until(
    () => v!.events<Found>(`slurm.job.id:${job} and slurm.job.state:COMPLETED and not vedette.source:squeue`),
    (events) => events.length > 0,
  );
  expect(told!.fields).toMatchObject({
    "event.dataset": "slurm.job",
    "slurm.job.id": job,
    "slurm.job.name": "vedette_test",
    "slurm.job.partition": "batch",
    "slurm.job.nodes": [node],
    "user.name": userInfo().username,
  });
  const { jobs } = await v.until(
    () => v!.get<{ jobs: { rows: readonly Row[] } }>("/api/v1/hpc"),
    ({ jobs: { rows } }) => rows.some((row) => row.job === job && row.states.includes("COMPLETED")),
  );
  expect(jobs.rows.find((row) => row.job === job)).toMatchObject({ user: userInfo().username, partition: "batch", nodes: [node] });
});
