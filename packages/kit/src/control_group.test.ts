import { expect, test } from "vitest";
import { jobOfGroup } from "./control_group.ts";

test.each([
  ["/slurm/uid_1000/job_4711/step_0/task_0", { job: "4711", step: "0", uid: "1000" }],
  ["/slurm_cn01/uid_1000/job_4711", { job: "4711", uid: "1000" }],
  ["/sys/fs/cgroup/cpu,cpuacct/slurm/uid_0/job_1/step_extern/task_0", { job: "1", step: "extern", uid: "0" }],
  ["/system.slice/slurmstepd.scope/job_4711/step_batch/user/task_0", { job: "4711", step: "batch" }],
  ["/sys/fs/cgroup/system.slice/cn01_slurmstepd.scope/job_4711/step_interactive/slurm", { job: "4711", step: "interactive" }],
  ["job_4711", { job: "4711" }],
])("%s is a job", (path, found) => {
  expect(jobOfGroup(path)).toEqual(found);
});

test.each([
  // what a user can make within their own slice
  "/user.slice/user-1000.slice/user@1000.service/app.slice/job_4712",
  "/user.slice/user-1000.slice/user@1000.service/slurmstepd.scope/job_4712/step_0",
  "/user.slice/user-1000.slice/user@1000.service/slurm/uid_1000/job_4712",
  "/system.slice/docker-job_4712.scope",
  "/system.slice/cron.service/job_4712",
  "/slurm/uid_1000/job_4711x/step_0",
  "/slurm/uid_1000/job_123456789012",
  `/${"x".repeat(5_000)}/job_1`,
  "",
])("%s is none", (path) => {
  expect(jobOfGroup(path)).toBeUndefined();
});
