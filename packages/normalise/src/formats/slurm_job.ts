/** Slurm's accounts of jobs: lines of `sacct --parsable2`, JSON of sacct and squeue, and the job completion plug-ins' documents. */
import { type DecodeResult, defineFormat, type JsonObject, type JsonValue, z } from "@vedette/kit";
import type { Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { decodeMembers } from "../json/documents.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { barColumns, type Columns, headedColumns, isHeader, isRule, rowOf } from "../slurm/columns.ts";
import { isState, jobEvent } from "../slurm/job.ts";
import { isScontrolJob, scontrolJob } from "../slurm/scontrol.ts";
import { minutesOf, utcOffset } from "../time/offset.ts";
import { parseAnyTime } from "../time/parse.ts";

const notJob: Flaw = {
  code: "bad_slurm_job",
  expected:
    "a line of sacct --parsable2 with its State and as many columns as its header or `columns` names, of scontrol --oneliner show job, or a JSON job of sacct, squeue or a job completion plug-in",
};

/** What XDMoD's and most sites' accounting collectors ask sacct for. */
const usualColumns =
  "jobid,jobidraw,cluster,partition,qos,account,group,gid,user,uid,submit,eligible,start,end,elapsed,exitcode,state,nnodes,ncpus,reqcpus,reqmem,reqtres,alloctres,timelimit,nodelist,jobname";

function jobsOf(object: JsonObject): JsonValue | undefined {
  const meta = object["meta"];
  const isSlurm =
    isObject(meta) && (isObject(meta["Slurm"]) || isObject(meta["slurm"]) || isObject(meta["plugin"]) || isObject(meta["plugins"]));
  const jobs = object["jobs"];
  return isSlurm && Array.isArray(jobs) ? jobs : undefined;
}

/** One job: of the plug-ins (`jobid`, `@submit`), or a member of what the tools print. */
function isJob(object: JsonObject): boolean {
  if (object["jobid"] === undefined && object["job_id"] === undefined) return false;
  const state = object["job_state"] ?? object["state"];
  const word = Array.isArray(state) ? state[0] : isObject(state) ? state["current"] : state;
  const told = Array.isArray(word) ? word[0] : word;
  return typeof told === "string" && isState(told) && (object["partition"] !== undefined || object["account"] !== undefined);
}

const decodeDocument = (object: JsonObject): DecodeResult => {
  const jobs = jobsOf(object);
  // what Slurm itself lists is a job, whatever states its next version has
  if (Array.isArray(jobs))
    return decodeMembers(jobs as readonly JsonValue[], (job) => (job["job_id"] === undefined ? notJob : jobEvent(job, parseAnyTime)));
  return isJob(object) ? jobEvent(object, parseAnyTime) : notJob;
};

function looksLikeJob(line: string): boolean {
  if (!line.includes("|")) return false;
  const columns = line.split("|", 64);
  return columns.length >= 5 && /^\d{1,10}(?:_\d{1,7}|_\[.{1,64}\]|\+\d{1,5})?(?:\.\w{1,16})?$/.test(columns[0]!) && columns.some(isState);
}

const unset = new Set(["Unknown", "None", "N/A", ""]);

export default defineFormat({
  name: "slurm_job",
  summary:
    "Slurm jobs: lines of sacct and of scontrol --oneliner show job, sacct --json, squeue --json, and jobcomp/elasticsearch or jobcomp/kafka documents.",
  description:
    "A job's nodes are expanded to slurm.job.nodes, at most 256. Of a batch script only its hash is a field (slurm.job.script_sha256). " +
    "Lines have the columns that their header names, where it begins with JobID or JobIDRaw and is read with them (a file, a connection), else those of `columns`. Bars (--parsable2) are best; commas, semicolons and tabs (--delimiter) and the print for people, which cuts long values, are read too. " +
    "slurm.job.id is JobIDRaw where it is told, for that is the number by which nodes know a task of an array; steps have the dataset slurm.step.",
  stability: "beta",
  config: z.strictObject({
    columns: z
      .string()
      .max(2_048)
      .default(usualColumns)
      .describe("Columns of the lines as given to `sacct --format`, with commas; the one that may hold a bar last."),
    utc_offset: utcOffset.describe(
      "Zone of the lines' stamps, as +hh:mm or -hh:mm; sacct writes local time unless SLURM_TIME_FORMAT says otherwise.",
    ),
  }),
  detect(sample, preamble) {
    const columns = headedColumns(preamble);
    if (!columns?.names.includes("state")) return 0.9 * share(sample, (line) => isScontrolJob(line) || looksLikeJob(line));
    return 0.9 * share(sample, (line) => isRule(line.trimEnd()) || isState(rowOf(columns, line.trimEnd())?.["state"] ?? ""));
  },
  decoder(config) {
    const configured = barColumns(config.columns);
    let [preamble, own]: [string | undefined, Columns | undefined] = [undefined, undefined];
    const offset = minutesOf(config.utc_offset) * 60_000_000;
    const readTime = (value: JsonValue | undefined): Micros | undefined => {
      if (typeof value !== "string" || unset.has(value)) return undefined;
      const time = parseAnyTime(value);
      return time === undefined || /^\d+$/.test(value) ? time : time - offset;
    };
    return (text, context) => {
      const line = text.trimEnd();
      if (line === "") return { skip: "blank" };
      if (looksLikeObject(line)) {
        const parsed = parseObject(line);
        return isFlaw(parsed) ? parsed : decodeDocument(parsed);
      }
      if (isScontrolJob(line)) return jobEvent(scontrolJob(line), readTime);
      if (isHeader(line) || isRule(line)) return { skip: "comment" };
      if (context.preamble !== preamble) [preamble, own] = [context.preamble, headedColumns(context.preamble)];
      const job = rowOf(own ?? configured, line);
      return job === undefined || !isState(job["state"] ?? "") ? notJob : jobEvent(job, readTime);
    };
  },
  json: {
    anyOf: ["meta", "jobid", "job_id"],
    claims: (object) =>
      jobsOf(object) !== undefined
        ? 1
        : isJob(object)
          ? object["@submit"] !== undefined || object["job_resources"] !== undefined
            ? 1
            : 0.8
          : 0,
    decode: (object) => decodeDocument(object),
  },
  examples: [
    {
      title: "a line of sacct",
      input:
        "163485|163485|hpc|gpu|normal|physics|staff|45789|ada|380693|2024-05-01T09:15:12|2024-05-01T09:15:12|2024-05-01T09:15:13|2024-05-01T10:15:13|01:00:00|0:9|CANCELLED by 1000|2|12|12|31000Mn|cpu=12,node=2|billing=12,cpu=12,gres/gpu=2,mem=31000M,node=2|1-00:00:00|cn[09-10]|solve|x",
      config: { utc_offset: "+02:00" },
      expect: [
        {
          "@timestamp": "2024-05-01T08:15:13.000000Z",
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.job",
          "event.category": "process",
          "slurm.job.state": "CANCELLED",
          "event.action": "slurm_job_cancelled",
          "event.type": "end",
          "event.outcome": "unknown",
          "slurm.job.kill_user": "1000",
          "slurm.job.id": "163485",
          "slurm.job.name": "solve|x",
          "slurm.job.account": "physics",
          "slurm.job.partition": "gpu",
          "slurm.job.qos": "normal",
          "slurm.job.node_list": "cn[09-10]",
          "slurm.job.tres": "billing=12,cpu=12,gres/gpu=2,mem=31000M,node=2",
          "slurm.job.tres_requested": "cpu=12,node=2",
          "slurm.cluster": "hpc",
          "orchestrator.cluster.name": "hpc",
          "user.name": "ada",
          "user.id": "380693",
          "group.name": "staff",
          "group.id": "45789",
          "slurm.job.cpus": 12,
          "slurm.job.node_count": 2,
          "process.exit_code": 0,
          "slurm.job.signal": 9,
          "slurm.job.nodes": ["cn09", "cn10"],
          "slurm.job.submit": "2024-05-01T07:15:12.000000Z",
          "event.start": "2024-05-01T07:15:13.000000Z",
          "event.end": "2024-05-01T08:15:13.000000Z",
          "event.duration": 3600000000000,
          "related.user": ["ada"],
        },
      ],
    },
    {
      title: "a step of an array's task, below a header of one's own",
      preamble: "JobID|JobIDRaw|State|ExitCode|NodeList",
      input: "4711_7.batch|4720.batch|OUT_OF_MEMORY|0:125|cn01",
      expect: [
        {
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.step",
          "event.category": "process",
          "slurm.step.state": "OUT_OF_MEMORY",
          "event.action": "slurm_step_out_of_memory",
          "event.type": "end",
          "event.outcome": "failure",
          "slurm.job.node_list": "cn01",
          "slurm.job.id": "4720",
          "slurm.job.array.id": "4711",
          "slurm.job.array.task": "7",
          "slurm.step.id": "batch",
          "process.exit_code": 0,
          "slurm.job.signal": 125,
          "slurm.job.nodes": ["cn01"],
        },
      ],
    },
    {
      title: "a document of jobcomp/elasticsearch",
      input:
        '{"jobid":4711,"username":"ada","user_id":1000,"groupname":"staff","group_id":100,"@start":"2024-05-01T10:00:00","@end":"2024-05-01T10:05:00","elapsed":300,"partition":"gpu",' +
        '"nodes":"cn01","total_cpus":8,"exit_code":256,"state":"FAILED","@submit":"2024-05-01T09:59:00","cluster":"hpc","qos":"normal","work_dir":"/home/ada","script":"#!/bin/sh\\nsolve","job_name":"solve","account":"physics","tres_alloc":"cpu=8"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:05:00.000000Z",
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.job",
          "event.category": "process",
          "slurm.job.state": "FAILED",
          "event.action": "slurm_job_failed",
          "event.type": "end",
          "event.outcome": "failure",
          "slurm.job.id": "4711",
          "slurm.job.name": "solve",
          "slurm.job.account": "physics",
          "slurm.job.partition": "gpu",
          "slurm.job.qos": "normal",
          "slurm.job.node_list": "cn01",
          "slurm.job.tres": "cpu=8",
          "slurm.cluster": "hpc",
          "orchestrator.cluster.name": "hpc",
          "user.name": "ada",
          "user.id": "1000",
          "group.name": "staff",
          "group.id": "100",
          "process.working_directory": "/home/ada",
          "slurm.job.cpus": 8,
          "process.exit_code": 1,
          "slurm.job.nodes": ["cn01"],
          "slurm.job.script_sha256": "eb8f398dc522a8feae17dc31aea2aa92242bb09a0066596bf5f33d07d2bcad79",
          "slurm.job.submit": "2024-05-01T09:59:00.000000Z",
          "event.start": "2024-05-01T10:00:00.000000Z",
          "event.end": "2024-05-01T10:05:00.000000Z",
          "event.duration": 300000000000,
          "related.user": ["ada"],
        },
      ],
    },
    {
      title: "what sacct prints for people",
      preamble: "JobID           JobName  Partition    Account  AllocCPUS      State ExitCode",
      input: "4713.extern      extern               physics        256     FAILED      1:0",
      expect: [
        {
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.step",
          "event.category": "process",
          "slurm.step.state": "FAILED",
          "event.action": "slurm_step_failed",
          "event.type": "end",
          "event.outcome": "failure",
          "slurm.job.id": "4713",
          "slurm.job.name": "extern",
          "slurm.job.account": "physics",
          "slurm.step.id": "extern",
          "slurm.job.cpus": 256,
          "process.exit_code": 1,
        },
      ],
    },
    {
      title: "scontrol --oneliner show job",
      input:
        "JobId=6003 ArrayJobId=6002 ArrayTaskId=7 JobName=sweep UserId=bob(3002) GroupId=bio(4002) MCS_label=N/A Priority=100 Nice=0 Account=bio QOS=normal JobState=RUNNING Reason=None Dependency=(null) ExitCode=0:0 " +
        "RunTime=00:10:00 TimeLimit=02:00:00 SubmitTime=2024-05-01T09:59:00 StartTime=2024-05-01T10:00:00 EndTime=2024-05-01T12:00:00 Partition=gpu AllocNode:Sid=login1:4243 NodeList=cn[1-2] BatchHost=cn1 NumNodes=2 NumCPUs=8 " +
        "NumTasks=1 TRES=cpu=8,mem=16G,node=2,gres/gpu=1 OverSubscribe=NO Command=/home/bob/my sweep.sh WorkDir=/home/bob",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.job",
          "event.category": "process",
          "slurm.job.state": "RUNNING",
          "event.action": "slurm_job_running",
          "event.type": "start",
          "slurm.job.id": "6003",
          "slurm.job.array.id": "6002",
          "slurm.job.array.task": "7",
          "slurm.job.name": "sweep",
          "slurm.job.account": "bio",
          "slurm.job.partition": "gpu",
          "slurm.job.qos": "normal",
          "slurm.job.node_list": "cn[1-2]",
          "slurm.job.tres": "cpu=8,mem=16G,node=2,gres/gpu=1",
          "slurm.job.priority": 100,
          "user.name": "bob",
          "user.id": "3002",
          "group.name": "bio",
          "group.id": "4002",
          "process.working_directory": "/home/bob",
          "process.command_line": "/home/bob/my sweep.sh",
          "slurm.job.cpus": 8,
          "slurm.job.node_count": 2,
          "process.exit_code": 0,
          "slurm.job.nodes": ["cn1", "cn2"],
          "slurm.job.submit": "2024-05-01T09:59:00.000000Z",
          "event.start": "2024-05-01T10:00:00.000000Z",
          "related.user": ["bob"],
        },
      ],
    },
    {
      title: "squeue --json",
      input:
        '{"meta":{"plugins":{"data_parser":"data_parser/v0.0.40"},"Slurm":{"version":{"major":23}}},"jobs":[{"job_id":4712,"job_state":["RUNNING"],"user_name":"bob","account":"physics","partition":"gpu",' +
        '"nodes":"cn[1-2]","cpus":{"set":true,"infinite":false,"number":16},"submit_time":{"set":true,"infinite":false,"number":1714557540},"start_time":{"set":true,"infinite":false,"number":1714557600},' +
        '"end_time":{"set":true,"infinite":false,"number":1714644000},"command":"/home/bob/run.sh","current_working_directory":"/home/bob"}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.job",
          "event.category": "process",
          "slurm.job.state": "RUNNING",
          "event.action": "slurm_job_running",
          "event.type": "start",
          "slurm.job.id": "4712",
          "slurm.job.account": "physics",
          "slurm.job.partition": "gpu",
          "slurm.job.node_list": "cn[1-2]",
          "user.name": "bob",
          "process.working_directory": "/home/bob",
          "process.command_line": "/home/bob/run.sh",
          "slurm.job.cpus": 16,
          "slurm.job.nodes": ["cn1", "cn2"],
          "slurm.job.submit": "2024-05-01T09:59:00.000000Z",
          "event.start": "2024-05-01T10:00:00.000000Z",
          "related.user": ["bob"],
        },
      ],
    },
    {
      title: "another line",
      input: "a|b|c",
      expect: {
        flaw: "bad_slurm_job",
      },
    },
  ],
});
