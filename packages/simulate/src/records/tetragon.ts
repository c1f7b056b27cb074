/** Tetragon's JSON export: programs started and ended, and what the policies of deploy/tetragon hook. Knows no scenario. */
import type { Micros } from "@vedette/model";
import type { Process } from "../host.ts";
import { nanoStamp } from "../stamps.ts";

const around = (kind: string, process: Process, rest: string, time: Micros): string =>
  `{"${kind}":{"process":${process.json}${process.parent === undefined ? "" : `,"parent":${process.parent.json}`}${rest}},` +
  `"node_name":"${process.host.name}","time":"${nanoStamp(time + process.host.skew)}"}`;

export const execLine = (process: Process, time: Micros): string => around("process_exec", process, "", time);

/** @param ended exit status, or the signal that ended it */
export function exitLine(process: Process, time: Micros, ended: { readonly status?: number; readonly signal?: string } = {}): string {
  const signal = ended.signal === undefined ? "" : `,"signal":"${ended.signal}"`;
  // protobuf's JSON leaves out zeros
  const status = ended.status === undefined || ended.status === 0 ? "" : `,"status":${ended.status}`;
  return around("process_exit", process, `${signal}${status},"time":"${nanoStamp(time + process.host.skew)}"`, time);
}

export interface Call {
  readonly function: string;
  readonly policy: string;
  /** Arguments as Tetragon's JSON, one object each. */
  readonly args: string;
  readonly message?: string;
}

export const callLine = (process: Process, time: Micros, call: Call): string =>
  around(
    "process_kprobe",
    process,
    `,"function_name":"${call.function}","args":[${call.args}],"action":"KPROBE_ACTION_POST","policy_name":"${call.policy}"` +
      `${call.message === undefined ? "" : `,"message":${JSON.stringify(call.message)}`},"return_action":"KPROBE_ACTION_POST"`,
    time,
  );

export interface Peer {
  readonly address: string;
  readonly port: number;
}

const socket = (family: string, type: string, protocol: string, from: Peer, to: Peer): string =>
  `{"sock_arg":{"family":"${family}","type":"${type}","protocol":"${protocol}","saddr":"${from.address}","daddr":"${to.address}",` +
  `"sport":${from.port},"dport":${to.port},"cookie":"18446613${to.port}${from.port}","state":"TCP_SYN_SENT"}}`;

/** P1: a connection to a public address. */
export const tcpConnect = (process: Process, time: Micros, from: Peer, to: Peer): string =>
  callLine(process, time, {
    function: "tcp_connect",
    policy: "egress",
    args: socket(to.address.includes(":") ? "AF_INET6" : "AF_INET", "SOCK_STREAM", "IPPROTO_TCP", from, to),
  });

/** P1 for datagrams: what was sent to a public address. */
export const udpSend = (process: Process, time: Micros, from: Peer, to: Peer, bytes: number): string =>
  callLine(process, time, {
    function: "udp_sendmsg",
    policy: "egress-udp",
    args: `${socket(to.address.includes(":") ? "AF_INET6" : "AF_INET", "SOCK_DGRAM", "IPPROTO_UDP", from, to)},{"size_arg":"${bytes}"}`,
  });

/** P3: a kernel module; a distribution's are signed. */
export const moduleLoad = (process: Process, time: Micros, name: string, signed: boolean): string =>
  callLine(process, time, {
    function: "do_init_module",
    policy: "monitor-kernel-modules",
    args: signed
      ? `{"module_arg":{"name":"${name}","signature_ok":true}}`
      : `{"module_arg":{"name":"${name}","tainted":["TAINT_OUT_OF_TREE_MODULE","TAINT_UNSIGNED_MODULE"]}}`,
  });

/** P5. */
export const ptraceCall = (process: Process, time: Micros, target: number): string =>
  callLine(process, time, { function: "__x64_sys_ptrace", policy: "ptrace", args: `{"long_arg":"16"},{"int_arg":${target}}` });

/** P6. */
export const bpfLoad = (process: Process, time: Micros, program: string): string =>
  callLine(process, time, {
    function: "bpf_check",
    policy: "bpf-load",
    args: `{"bpf_attr_arg":{"ProgType":"BPF_PROG_TYPE_KPROBE","InsnCnt":64,"ProgName":"${program}"}}`,
  });

/** P7: a watched file is written. */
export const fileWrite = (process: Process, time: Micros, path: string): string =>
  callLine(process, time, {
    function: "security_file_permission",
    policy: "watched-files",
    args: `{"file_arg":{"path":${JSON.stringify(path)},"permission":"-rw-r--r--"}},{"int_arg":2}`,
  });

/** A namespace is entered (setns). */
export const namespaceEntered = (process: Process, time: Micros): string =>
  callLine(process, time, { function: "__x64_sys_setns", policy: "namespace-access", args: `{"int_arg":3},{"int_arg":131072}` });

/** P4: credentials changed to root's. */
export const becameRoot = (process: Process, time: Micros): string =>
  callLine(process, time, {
    function: "commit_creds",
    policy: "credential-changes",
    args: `{"process_credentials_arg":{"uid":0,"gid":0,"euid":0,"egid":0,"suid":0,"sgid":0,"fsuid":0,"fsgid":0}}`,
  });
