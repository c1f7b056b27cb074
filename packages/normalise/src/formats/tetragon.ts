/** Tetragon's JSON export to ECS: processes, hooked kernel functions, connections. Knows no policy. */
import { type Decoded, type JsonObject, newFields, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { defineDocuments, textOf as text } from "../json/documents.ts";
import { flattenValue } from "../json/flatten.ts";
import { isObject } from "../json/parse.ts";
import { type CallKind, kindOfCall, putArguments, putEnds } from "../tetragon_calls.ts";
import { putJobOfGroup, putParent, putProcess } from "../tetragon_process.ts";
import { parseRfc3339 } from "../time/parse.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: "a Tetragon event: {process_exec: {process: …}, time: …} or another process_… kind",
};

/** Every kind of event, the frequent first. The network kinds are of Isovalent's edition and Tetragon before 0.8. */
const kinds: ReadonlyMap<string, CallKind | undefined> = new Map<string, CallKind | undefined>([
  ["process_exec", { category: ["process"], type: ["start"] }],
  ["process_exit", { category: ["process"], type: ["end"] }],
  ["process_kprobe", undefined],
  ["process_tracepoint", undefined],
  ["process_lsm", undefined],
  ["process_uprobe", { category: ["process"], type: ["info"] }],
  ["process_usdt", { category: ["process"], type: ["info"] }],
  ["process_loader", { category: ["library"], type: ["start"] }],
  ["process_connect", { category: ["network"], type: ["connection", "start"], direction: "egress" }],
  ["process_accept", { category: ["network"], type: ["connection", "start"], direction: "ingress" }],
  ["process_listen", { category: ["network"], type: ["start"] }],
  ["process_close", { category: ["network"], type: ["connection", "end"] }],
  ["process_dns", { category: ["network"], type: ["protocol", "info"] }],
  ["process_throttle", { category: ["host"], type: ["info"] }],
  ["rate_limit_info", { category: ["host"], type: ["info"] }],
]);

/** The event's kind; undefined where there is none. */
function kindOf(object: JsonObject): string | undefined {
  for (const name of kinds.keys()) if (isObject(object[name])) return name;
  return undefined;
}

function decodeObject(object: JsonObject): Decoded | Flaw {
  const name = kindOf(object);
  if (name === undefined) return unknownShape;
  const body = object[name] as JsonObject;
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "tetragon";
  fields["event.dataset"] = "tetragon";
  fields["tetragon.type"] = name;
  put(fields, "host.name", text(object["node_name"]));
  put(fields, "orchestrator.cluster.name", text(object["cluster_name"]));
  if (isObject(body["process"])) putProcess(fields, body["process"]);
  if (isObject(body["parent"])) putParent(fields, body["parent"]);
  putCall(fields, name, body);
  if (name === "process_exit") putExit(fields, body);
  else if (name === "process_throttle") putThrottle(fields, body);
  else if (name === "rate_limit_info") putDropped(fields, body);
  const user = fields["user.name"];
  if (typeof user === "string") fields["related.user"] = [user];
  const time = text(object["time"]);
  return { time: time === undefined ? undefined : parseRfc3339(time), fields };
}

/** Members of kprobe, tracepoint, LSM and uprobe events that are plain values. */
const members = [
  "policy_name",
  "function_name",
  "action",
  "return_action",
  "message",
  "tags",
  "subsys",
  "event",
  "path",
  "symbol",
  "return",
];

function putCall(fields: Fields, name: string, body: JsonObject): void {
  const hooked = text(body["function_name"]) ?? text(body["event"]) ?? text(body["symbol"]);
  const kind = kinds.get(name) ?? kindOfCall(hooked ?? "");
  fields["event.action"] = hooked ?? name.replace(/^process_/, "");
  fields["event.category"] = kind.category;
  fields["event.type"] = kind.type;
  for (const member of members) flattenValue(body[member], fields, `tetragon.${member}`);
  if (name === "process_loader") put(fields, "dll.path", text(body["path"]));
  putArguments(fields, body["args"], kind.direction);
  if (body["source_ip"] !== undefined || body["destination_ip"] !== undefined) {
    putEnds(
      fields,
      {
        localIp: body["source_ip"],
        localPort: body["source_port"],
        remoteIp: body["destination_ip"],
        remotePort: body["destination_port"],
        protocol: body["protocol"],
      },
      // Here the event itself says who began.
      kind.direction === "ingress" ? undefined : kind.direction,
    );
  } else if (name === "process_listen") {
    putEnds(
      fields,
      { localIp: undefined, localPort: undefined, remoteIp: body["ip"], remotePort: body["port"], protocol: body["protocol"] },
      undefined,
    );
  }
}

function putExit(fields: Fields, body: JsonObject): void {
  const status = body["status"];
  const signal = text(body["signal"]);
  // Protobuf's JSON leaves out zeros: no status is success.
  fields["process.exit_code"] = typeof status === "number" && Number.isSafeInteger(status) ? status : 0;
  put(fields, "tetragon.signal", signal);
}

function putThrottle(fields: Fields, body: JsonObject): void {
  put(fields, "tetragon.throttle", text(body["type"]));
  const group = typeof body["cgroup"] === "string" ? body["cgroup"] : undefined;
  put(fields, "tetragon.cgroup", group);
  putJobOfGroup(fields, group);
}

/** What the exporter left out since it last said so; 64-bit numbers are text in protobuf's JSON. */
function putDropped(fields: Fields, body: JsonObject): void {
  const dropped = Number(body["number_of_dropped_process_events"]);
  if (Number.isSafeInteger(dropped)) fields["tetragon.dropped_events"] = dropped;
}

function put(fields: Fields, key: string, value: string | undefined): void {
  if (value !== undefined) fields[key] = value;
}

function claims(object: JsonObject): number {
  return (object["time"] !== undefined || object["node_name"] !== undefined) && kindOf(object) !== undefined ? 1 : 0;
}

export default defineDocuments({
  name: "tetragon",
  summary: "Tetragon's JSON export: process starts and ends, hooked kernel functions, connections.",
  description:
    "Processes are told apart by process.entity_id (exec_id). The pod and container are kept, and the Slurm job where the process's environment or control group names it. " +
    "Arguments of hooked functions stand under tetragon.args.<kind>; raw buffers are left to the original.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: [...kinds.keys()],
  claims,
  decode: decodeObject,
  examples: [
    {
      title: "a program started within a Slurm job",
      input:
        '{"process_exec":{"process":{"exec_id":"bm9kZTE6MQ==","pid":4242,"uid":1000,"cwd":"/tmp","binary":"/tmp/solve","arguments":"-n 4 \\"two words\\"",' +
        '"start_time":"2024-05-01T10:00:00.000000001Z","auid":1000,"parent_exec_id":"bm9kZTE6MA==","environment_variables":[{"key":"SLURM_JOB_ID","value":"4711"},' +
        '{"key":"SLURM_STEP_ID","value":"0"}]},"parent":{"exec_id":"bm9kZTE6MA==","pid":4200,"binary":"/usr/bin/bash"}},"node_name":"node1","time":"2024-05-01T10:00:00.123456789Z"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123456Z",
          "event.kind": "event",
          "event.module": "tetragon",
          "event.dataset": "tetragon",
          "event.action": "exec",
          "event.category": ["process"],
          "event.type": ["start"],
          "host.name": "node1",
          "tetragon.type": "process_exec",
          "process.executable": "/tmp/solve",
          "process.name": "solve",
          "process.command_line": '/tmp/solve -n 4 "two words"',
          "process.args": ["/tmp/solve", "-n", "4", "two words"],
          "process.pid": 4242,
          "process.entity_id": "bm9kZTE6MQ==",
          "process.working_directory": "/tmp",
          "process.start": "2024-05-01T10:00:00.000000001Z",
          "process.real_user.id": "1000",
          "process.env_vars": ["SLURM_JOB_ID=4711", "SLURM_STEP_ID=0"],
          "user.id": "1000",
          "slurm.job.id": "4711",
          "slurm.step.id": "0",
          "process.parent.executable": "/usr/bin/bash",
          "process.parent.name": "bash",
          "process.parent.command_line": "/usr/bin/bash",
          "process.parent.args": ["/usr/bin/bash"],
          "process.parent.pid": 4200,
          "process.parent.entity_id": "bm9kZTE6MA==",
        },
      ],
    },
    {
      title: "a connection, seen by a kprobe",
      input:
        '{"process_kprobe":{"process":{"exec_id":"bm9kZTE6MQ==","pid":4242,"uid":1000,"binary":"/tmp/solve"},"function_name":"tcp_connect","args":[{"sock_arg":{"family":"AF_INET",' +
        '"type":"SOCK_STREAM","protocol":"IPPROTO_TCP","saddr":"10.0.0.5","daddr":"192.0.2.9","sport":50122,"dport":3333}}],"action":"KPROBE_ACTION_POST",' +
        '"policy_name":"connections"},"node_name":"node1","time":"2024-05-01T10:00:01Z"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.000000Z",
          "event.kind": "event",
          "event.module": "tetragon",
          "event.dataset": "tetragon",
          "event.action": "tcp_connect",
          "event.category": ["network"],
          "event.type": ["connection", "start"],
          "host.name": "node1",
          "tetragon.type": "process_kprobe",
          "tetragon.policy_name": "connections",
          "tetragon.function_name": "tcp_connect",
          "tetragon.action": "KPROBE_ACTION_POST",
          "tetragon.args.sock_arg.family": ["AF_INET"],
          "tetragon.args.sock_arg.type": ["SOCK_STREAM"],
          "tetragon.args.sock_arg.protocol": ["IPPROTO_TCP"],
          "tetragon.args.sock_arg.saddr": ["10.0.0.5"],
          "tetragon.args.sock_arg.daddr": ["192.0.2.9"],
          "tetragon.args.sock_arg.sport": [50122],
          "tetragon.args.sock_arg.dport": [3333],
          "process.executable": "/tmp/solve",
          "process.name": "solve",
          "process.command_line": "/tmp/solve",
          "process.args": ["/tmp/solve"],
          "process.pid": 4242,
          "process.entity_id": "bm9kZTE6MQ==",
          "user.id": "1000",
          "source.ip": "10.0.0.5",
          "source.port": 50122,
          "destination.ip": "192.0.2.9",
          "destination.port": 3333,
          "network.direction": "egress",
          "network.transport": "tcp",
          "related.ip": ["10.0.0.5", "192.0.2.9"],
        },
      ],
    },
    { title: "another document", input: '{"time":"2024-05-01T10:00:00Z"}', expect: { flaw: "unknown_shape" } },
  ],
});
