/** Tetragon's own example events decode, with the parts that detections need. */
import { join } from "node:path";
import type { Decoded, JsonObject } from "@vedette/kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJsonLines, sharedSet } from "../shared_sets.test.data.ts";
import { kindOfCall } from "../tetragon_calls.ts";
import { splitArguments } from "../tetragon_process.ts";
import tetragon from "./tetragon.ts";

const context = { preamble: undefined, received: 0, peer: undefined, source: "test", stream: "test" };
const json = tetragon.json!;
const decode = (object: object): Decoded => json.decode(object as JsonObject, "", context) as Decoded;
const exec = (process: object) => decode({ process_exec: { process }, time: "2024-05-01T10:00:00Z" }).fields;

test("arguments: blanks part them, quotes hold them together, none is lost", () => {
  expect(splitArguments('-c "a b" "c" d"e f')).toEqual(["-c", "a b", "c", 'd"e', "f"]);
  expect(splitArguments('"open end')).toEqual(['"open', "end"]);
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z-]{1,5}( [a-z]{1,5})?$/), { maxLength: 10 }), (args) => {
      expect(splitArguments(args.map((one) => (one.includes(" ") ? `"${one}"` : one)).join(" "))).toEqual(args);
    }),
  );
});

describe("Slurm jobs", () => {
  test("from the environment", () => {
    const fields = exec({
      binary: "/bin/true",
      environment_variables: [
        { key: "SLURM_JOB_ID", value: "12" },
        { key: "constructor", value: "x" },
      ],
    });
    expect(fields["slurm.job.id"]).toBe("12");
  });
  test.each([
    ["/slurm/uid_1000/job_4711/step_0/task_0", "4711", "0"],
    ["/system.slice/slurmstepd.scope/job_4711/step_batch/user/task_0", "4711", "batch"],
    ["job_4711", "4711", undefined],
    ["/kubepods/job_x", undefined, undefined],
  ])("from the control group %s", (cgroup, job, step) => {
    const fields = exec({ binary: "/bin/true", cgroup });
    expect([fields["slurm.job.id"], fields["slurm.step.id"]]).toEqual([job, step]);
  });
});

test("what hooked functions mean", () => {
  const meaning = (name: string) => [...kindOfCall(name).category, ...kindOfCall(name).type].join(" ");
  expect(meaning("tcp_connect")).toBe("network connection start");
  expect(meaning("__x64_sys_connect")).toBe("network connection start");
  expect(meaning("tcp_close")).toBe("network connection end");
  expect(meaning("inet_csk_accept")).toBe("network connection start");
  expect(meaning("tcp_sendmsg")).toBe("network connection info");
  expect(meaning("__x64_sys_write")).toBe("file change");
  expect(meaning("security_file_permission")).toBe("file access");
  expect(meaning("sys_unlinkat")).toBe("file deletion");
  expect(meaning("__x64_sys_setns")).toBe("process change");
  expect(meaning("do_init_module")).toBe("driver start");
  expect(meaning("socket_connect")).toBe("network connection start");
  expect(meaning("")).toBe("process info");
});

test("an accepted connection came from the other side; raw buffers stay in the original", () => {
  const sock_arg = { saddr: "10.0.0.5", sport: 22, daddr: "192.0.2.9", dport: 50122, protocol: "IPPROTO_TCP" };
  const { fields } = decode({
    process_kprobe: { function_name: "inet_csk_accept", args: [{ sock_arg }, { bytes_arg: "AAAA" }] },
    time: "2024-05-01T10:00:00Z",
  });
  expect([fields["source.ip"], fields["source.port"], fields["destination.ip"], fields["destination.port"]]).toEqual([
    "192.0.2.9",
    50122,
    "10.0.0.5",
    22,
  ]);
  expect(fields["network.direction"]).toBe("ingress");
  expect(Object.keys(fields).some((key) => key.includes("bytes_arg"))).toBe(false);
});

test("a socket of both families speaks IPv4", () => {
  const sock_arg = { family: "AF_INET6", saddr: "::ffff:10.0.0.5", daddr: "::ffff:10.0.0.9", dport: 443, protocol: "IPPROTO_TCP" };
  const { fields } = decode({ process_kprobe: { function_name: "tcp_connect", args: [{ sock_arg }] }, time: "2024-05-01T10:00:00Z" });
  expect([fields["source.ip"], fields["destination.ip"], fields["related.ip"]]).toEqual(["10.0.0.5", "10.0.0.9", ["10.0.0.5", "10.0.0.9"]]);
});

test("what the exporter left out is counted", () => {
  const { fields } = decode({
    rate_limit_info: { number_of_dropped_process_events: "17" },
    node_name: "cn1",
    time: "2024-05-01T10:00:00Z",
  });
  expect([fields["tetragon.type"], fields["tetragon.dropped_events"], fields["host.name"]]).toEqual(["rate_limit_info", 17, "cn1"]);
});

const set = sharedSet("tetragon");
test.skipIf(set === undefined)("Tetragon's documented events: 42 of them", () => {
  const cases = readJsonLines(join(set!, "events.jsonl.gz")) as { readonly label: string; readonly event: JsonObject }[];
  const seen: { [action: string]: number } = {};
  const escapes: unknown[] = [];
  for (const { event, label } of cases) {
    expect(json.claims(event, context)).toBe(1);
    const { time, fields } = decode(event);
    if (event["time"] !== undefined) expect(time).toBeDefined();
    expect(fields["event.category"]).toBeDefined();
    if (fields["tetragon.type"] !== "process_throttle") {
      expect(fields["process.executable"]).toBeDefined();
      expect(fields["process.entity_id"]).toBeDefined();
    }
    const what = `${fields["event.action"]}: ${[fields["event.category"], fields["event.type"]].flat().join(" ")}`;
    seen[what] = (seen[what] ?? 0) + 1;
    if (label === "attack") escapes.push(fields["process.command_line"]);
  }
  expect(cases.length).toBe(42);
  expect(seen).toMatchInlineSnapshot(`
    {
      "__x64_sys_read: file access": 1,
      "__x64_sys_setns: process change": 1,
      "__x64_sys_write: file change": 1,
      "cap_capable: process change": 1,
      "close: network connection end": 2,
      "commit_creds: process change": 1,
      "connect: network connection start": 2,
      "do_init_module: driver start": 1,
      "exec: process start": 16,
      "exit: process end": 5,
      "find_module_sections: driver start": 1,
      "free_module: driver end": 1,
      "listen: network start": 2,
      "security_bprm_creds_from_file: process start": 1,
      "security_file_permission: file access": 1,
      "security_kernel_module_request: driver start": 1,
      "security_kernel_read_file: driver start": 2,
      "throttle: host info": 2,
    }
  `);
  expect(escapes).toMatchInlineSnapshot(`
    [
      "/usr/bin/bash",
      "/usr/sbin/nginx -g "daemon off;"",
      "/usr/sbin/nginx -g "daemon off;"",
      "/bin/bash",
      "/docker-entrypoint.sh /docker-entrypoint.sh nginx -g "daemon off;"",
      "/usr/bin/nsenter -t 1 -m -u -n -i -p bash",
    ]
  `);
});
