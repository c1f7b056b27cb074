/** Lines of Slurm's daemons (slurmctld, slurmd, slurmdbd) in their own log files. Knows no job beyond what a line says. */
import { defineFormat, newFields, z } from "@vedette/kit";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { levelOf, readSlurmMessage } from "../slurm/message.ts";
import { minutesOf, utcOffset } from "../time/offset.ts";
import { rfc3339At, stampEnd } from "../time/parse.ts";

const notSlurm = { code: "bad_slurm_log", expected: "a line of a Slurm daemon: [2024-05-01T10:00:00.123] message" };

/** Where the message begins after `[STAMP] `, or -1. */
function messageAt(line: string): number {
  if (line.charCodeAt(0) !== 0x5b || line.charCodeAt(11) !== 0x54) return -1;
  if (rfc3339At(line, 1) === undefined) return -1;
  const end = stampEnd();
  return line.charCodeAt(end) === 0x5d && line.charCodeAt(end + 1) === 0x20 ? end + 2 : -1;
}

/** What tells a Slurm daemon from others that bracket an ISO stamp. */
const telling =
  /(?:^|[ (_])(?:JobId=|StepId=|_slurm_|slurm|sched|backfill|agent|node_|step_|job_|error: |debug\d?: |_?(?:pick|launch|handle|find|update|validate)_\w{1,32}:|task\/|select\/|priority\/|accounting|Launching|launch task|\[\d{1,10}\.(?:batch|extern|interactive|\d{1,9})\] )/;

export default defineFormat({
  name: "slurm_log",
  summary: "Logs of slurmctld, slurmd and slurmdbd: jobs and steps as they start and end, refused requests, failed credentials, nodes.",
  description: "Lines in syslog are read the same way by the syslog format. Debug lines are kept as messages.",
  stability: "beta",
  config: z.strictObject({ utc_offset: utcOffset.describe("Zone of the stamps, as +hh:mm or -hh:mm.") }),
  detect: (sample, _preamble, stream) =>
    (stream.includes("slurm") ? 0.95 : 0.8) *
    share(sample, (line) => {
      const at = messageAt(line);
      return at >= 0 && (stream.includes("slurm") || telling.test(line.slice(at, at + 256)));
    }),
  decoder(config) {
    const offset = minutesOf(config.utc_offset) * 60_000_000;
    return (text, context) => {
      const line = text.trimEnd();
      if (line === "") return { skip: "blank" };
      const at = messageAt(line);
      if (at < 0) return notSlurm;
      const time = rfc3339At(line, 1)! - offset;
      const fields = newFields();
      fields["event.kind"] = "event";
      fields["event.module"] = "slurm";
      fields["event.dataset"] = "slurm.log";
      const stream = /slurm(?:ctld|dbd|d|stepd|restd)/.exec(context.stream.slice(-256));
      if (stream !== null) fields["process.name"] = stream[0];
      fields["log.level"] = levelOf(line, at);
      fields["message"] = line.slice(at);
      readSlurmMessage(line.slice(at), fields);
      relate(fields);
      return { time, fields };
    };
  },
  examples: [
    {
      title: "a job allocated",
      input: "[2024-05-01T10:00:00.123] sched: Allocate JobId=4711 NodeList=cn[01-02] #CPUs=16 Partition=gpu",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123000Z",
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.log",
          "log.level": "info",
          message: "sched: Allocate JobId=4711 NodeList=cn[01-02] #CPUs=16 Partition=gpu",
          "event.category": "process",
          "event.type": "start",
          "event.action": "slurm_job_started",
          "event.outcome": "success",
          "slurm.job.id": "4711",
          "slurm.job.node_list": "cn[01-02]",
          "slurm.job.nodes": ["cn01", "cn02"],
          "slurm.job.partition": "gpu",
          "slurm.job.cpus": 16,
        },
      ],
    },
    {
      title: "a task launched on a node",
      input: "[2024-05-01T10:00:01.001] launch task StepId=4711.0 request from UID:1000 GID:100 HOST:10.0.0.5 PORT:44321",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.001000Z",
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.log",
          "log.level": "info",
          message: "launch task StepId=4711.0 request from UID:1000 GID:100 HOST:10.0.0.5 PORT:44321",
          "event.category": "process",
          "event.type": "start",
          "event.action": "slurm_task_launched",
          "event.outcome": "success",
          "slurm.job.id": "4711",
          "slurm.step.id": "0",
          "user.id": "1000",
          "group.id": "100",
          "source.ip": "10.0.0.5",
          "source.port": 44321,
          "related.ip": ["10.0.0.5"],
        },
      ],
    },
    {
      title: "another user's job that was to be killed",
      input: "[2024-05-01T10:00:02] error: Security violation, REQUEST_KILL_JOB RPC for JobId=4711 from uid 1001",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:02.000000Z",
          "event.kind": "event",
          "event.module": "slurm",
          "event.dataset": "slurm.log",
          "log.level": "error",
          message: "error: Security violation, REQUEST_KILL_JOB RPC for JobId=4711 from uid 1001",
          "event.category": ["authentication", "iam"],
          "event.type": "denied",
          "event.action": "slurm_security_violation",
          "event.outcome": "failure",
          "slurm.job.id": "4711",
          "user.id": "1001",
        },
      ],
    },
    {
      title: "another line",
      input: "2024-05-01T10:00:00 x",
      expect: {
        flaw: "bad_slurm_log",
      },
    },
  ],
});
