/** Slurm's accounts of jobs: lines of `sacct --parsable2`, JSON of sacct and squeue, and the job completion plug-ins' documents. */
import { type DecodeResult, defineFormat, type JsonObject, type JsonValue, z } from "@vedette/kit";
import type { Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { decodeMembers } from "../json/documents.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { isState, jobEvent } from "../slurm/job.ts";
import { minutesOf, utcOffset } from "../time/offset.ts";
import { parseAnyTime } from "../time/parse.ts";

const notJob: Flaw = {
  code: "bad_slurm_job",
  expected:
    "a line of sacct --parsable2 with its State and as many columns as its header or `columns` names, or a JSON job of sacct, squeue or a job completion plug-in",
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

/** A line's columns as a job; the names are sacct's, spelt small. */
function jobOfLine(names: readonly string[], line: string): { readonly [name: string]: string } | undefined {
  const columns = line.split("|");
  // `--parsable` ends each line with a bar, `--parsable2` does not.
  if (columns.length === names.length + 1 && columns.at(-1) === "") columns.pop();
  if (columns.length < names.length) return undefined;
  // A job's name is the user's, and may hold a bar: it comes last, and takes what is left.
  const last = columns.slice(names.length - 1).join("|");
  const job: { [name: string]: string } = {};
  for (let i = 0; i < names.length; i++) job[names[i]!] = i === names.length - 1 ? last : columns[i]!;
  return job;
}

const unset = new Set(["Unknown", "None", "N/A", ""]);

const columnsOf = (text: string): readonly string[] =>
  text
    .split(/[,|]/, 256)
    .map((name) =>
      name
        .trim()
        .toLowerCase()
        .replace(/%-?\d+$/, ""),
    )
    .filter((name) => name !== "");
const isHeader = (line: string): boolean => /^jobid(?:raw)?\|/i.test(line.slice(0, 16));
/** The columns that a stream's header names; of several the last counts. */
const declared = (preamble: string | undefined): readonly string[] | undefined => {
  const header = preamble?.split("\n").findLast(isHeader);
  return header === undefined ? undefined : columnsOf(header);
};

export default defineFormat({
  name: "slurm_job",
  summary: "Slurm jobs: sacct --parsable2 lines, sacct --json, squeue --json, and jobcomp/elasticsearch or jobcomp/kafka documents.",
  description:
    "A job's nodes are expanded to slurm.job.nodes, at most 256. Of a batch script only its hash is a field (slurm.job.script_sha256). " +
    "Lines have the columns that their header names, where it begins with JobID or JobIDRaw and is read with them (a file, a connection), else those of `columns`. " +
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
  detect: (sample) => 0.9 * share(sample, looksLikeJob),
  decoder(config) {
    const configured = columnsOf(config.columns);
    let [preamble, own]: [string | undefined, readonly string[] | undefined] = [undefined, undefined];
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
      if (isHeader(line)) return { skip: "comment" };
      if (context.preamble !== preamble) [preamble, own] = [context.preamble, declared(context.preamble)];
      const job = jobOfLine(own ?? configured, line);
      return job === undefined || !isState(job["state"] ?? "") ? notJob : jobEvent(job, readTime);
    };
  },
  json: {
    telling: ["meta", "jobid", "job_id"],
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
