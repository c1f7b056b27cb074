/** Hostlists, states and the daemons' sayings. */
import { type JsonObject, newFields } from "@vedette/kit";
import { describe, expect, test } from "vitest";
import { parseAnyTime } from "../time/parse.ts";
import { expandHosts } from "./hostlist.ts";
import { isState, jobEvent } from "./job.ts";
import { readSlurmMessage } from "./message.ts";

test.each([
  ["cn1", ["cn1"]],
  ["cn[01-03,7],login1", ["cn01", "cn02", "cn03", "cn7", "login1"]],
  ["d[1-2]-ib,x", ["d1-ib", "d2-ib", "x"]],
  ["cn[3-1]", []],
  ["cn[a-b]", []],
  ["cn[1", ["cn[1"]],
  ["", []],
])("hostlist %s", (text, hosts) => expect(expandHosts(text)).toEqual(hosts));

test("a hostlist of a million nodes ends", () => expect(expandHosts("cn[0-999999],x").length).toBe(256));

describe("a job", () => {
  const job = (more: object) => jobEvent({ job_id: 1, account: "a", ...more } as JsonObject, parseAnyTime);
  test("each state says whether it began or ended, and how", () => {
    const told = (state: unknown) => {
      const { fields } = job({ job_state: state });
      return [fields["slurm.job.state"], fields["event.type"], fields["event.outcome"]];
    };
    expect(told("COMPLETED")).toEqual(["COMPLETED", "end", "success"]);
    expect(told(["OUT_OF_MEMORY"])).toEqual(["OUT_OF_MEMORY", "end", "failure"]);
    expect(told("CANCELLED by 1000")).toEqual(["CANCELLED", "end", "unknown"]);
    expect(told("RUNNING")).toEqual(["RUNNING", "start", undefined]);
    expect(told("PENDING")).toEqual(["PENDING", "info", undefined]);
    expect([isState("CANCELLED by 7"), isState("cancelled"), isState("")]).toEqual([true, false, false]);
  });
  test.each([
    ["4711_7", "4720", ["4720", "4711", "7", undefined, undefined]],
    ["4711_7", undefined, ["4711_7", "4711", "7", undefined, undefined]],
    ["4711_[8-20%4]", "4711", ["4711", "4711", undefined, undefined, undefined]],
    ["5000+1", "5001", ["5001", undefined, undefined, "5000", undefined]],
    ["5000+1.0", "5001.0", ["5001", undefined, undefined, "5000", "0"]],
    ["4712.extern", undefined, ["4712", undefined, undefined, undefined, "extern"]],
  ])("%s of sacct, raw %s", (jobid, jobidraw, told) => {
    const { fields } = job({ job_id: undefined, jobid, jobidraw, job_state: "COMPLETED" });
    const names = ["slurm.job.id", "slurm.job.array.id", "slurm.job.array.task", "slurm.job.het.id", "slurm.step.id"];
    expect(names.map((name) => fields[name])).toEqual(told);
    expect(fields["event.dataset"]).toBe(told[4] === undefined ? "slurm.job" : "slurm.step");
  });
  test("of an array or a job of parts that is none, nothing; processors as they were given", () => {
    const unset = { set: false, infinite: false, number: 0 };
    const { fields } = job({
      job_state: ["RUNNING"],
      array: { job_id: 0, task_id: unset },
      het: { job_id: 4_810, job_offset: { set: true, infinite: false, number: 1 } },
      required: { CPUs: 1 },
      tres: { allocated: [{ type: "cpu", count: 16 }] },
    });
    expect(Object.keys(fields).filter((name) => name.includes("array"))).toEqual([]);
    expect([fields["slurm.job.het.id"], fields["slurm.job.het.offset"], fields["slurm.job.cpus"]]).toEqual(["4810", "1", 16]);
  });
  test("a running job's limit is no end; unset and infinite numbers are nothing", () => {
    const number = (n: number) => ({ set: true, infinite: false, number: n });
    const { time, fields } = job({
      job_state: "RUNNING",
      start_time: number(1_714_557_600),
      end_time: number(1_714_644_000),
      cpus: { set: false, number: 7 },
    });
    expect([time, fields["event.end"], fields["slurm.job.cpus"]]).toEqual([1_714_557_600_000_000, undefined, undefined]);
  });
});

test.each([
  ["_slurm_rpc_submit_batch_job: JobId=12 InitPrio=1 usec=300", "slurm_job_submitted", "12"],
  ["_job_complete: JobId=12 WEXITSTATUS 1", "slurm_job_completed", "12"],
  ["error: Munge decode failed: Expired credential", "slurm_authentication", undefined],
  ["error: Security violation, REQUEST_SHUTDOWN RPC from uid 1001", "slurm_security_violation", undefined],
  ["[4711.batch] done with job", "slurm_step_ended", "4711"],
  ["debug:  job_complete: nothing", undefined, undefined],
])("%s", (message, action, job) => {
  const fields = newFields();
  readSlurmMessage(message, fields);
  expect([fields["event.action"], fields["slurm.job.id"]]).toEqual([action, job]);
});
