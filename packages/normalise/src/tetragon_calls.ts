/** What the kernel functions, tracepoints and arguments of Tetragon events mean in ECS. Knows no process. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { flattenValue } from "./json/flatten.ts";
import { isObject } from "./json/parse.ts";
import { plainIp } from "./linux/peer.ts";

export interface CallKind {
  readonly category: readonly string[];
  readonly type: readonly string[];
  /** Where the connection's first packet came from, seen from this host. */
  readonly direction?: "egress" | "ingress";
}

const kind = (category: string, type: string, direction?: "egress" | "ingress"): CallKind => ({
  category: category.split("+"),
  type: type.split("+"),
  ...(direction === undefined ? {} : { direction }),
});

const connect = kind("network", "connection+start", "egress");
/** Tried in this order on the function's name without `__x64_sys_` and the like. Source: the policies in Tetragon's own examples. */
const functions: readonly (readonly [RegExp, CallKind])[] = [
  [/module_request|do_init_module|kernel_read_file|find_module_sections|^(?:init|finit)_module|kernel_load_data/, kind("driver", "start")],
  [/free_module|delete_module/, kind("driver", "end")],
  [/^(?:tcp_connect|tcp_v[46]_connect|connect|(?:security_)?socket_connect|udp_connect)/, connect],
  [/accept|inet_csk_listen|^listen|^bind$|(?:security_)?socket_(?:bind|listen)|inet_bind/, kind("network", "connection+start", "ingress")],
  [/^tcp_close|^inet_release|tcp_set_state/, kind("network", "connection+end")],
  [/^(?:tcp|udp|ip|icmp|skb|sock)_|sendmsg|recvmsg|^send(?:to)?$|^recv(?:from)?$|socket|net_dev/, kind("network", "connection+info")],
  [/^(?:execve|execveat)|security_bprm|bprm_/, kind("process", "start")],
  [/creds|setns|set(?:res|re)?[ug]id|setfs[ug]id|capable|capset|unshare|override_creds/, kind("process", "change")],
  [/ptrace|process_vm_/, kind("process", "access")],
  [/^(?:kill|tkill|tgkill)|task_kill/, kind("process", "end")],
  [/bpf|perf_event/, kind("driver", "info")],
  [/unlink|rmdir|delete/, kind("file", "deletion")],
  [/mkdir|mknod|creat|symlink|(?:^|_)link/, kind("file", "creation")],
  [/write|truncate|rename|chmod|chown|fchmod|fchown|setattr|setxattr|utime/, kind("file", "change")],
  [/mount|pivot_root/, kind("host", "change")],
  [/read|open|fd_install|file_permission|mmap_file|stat|access|getattr|close_fd|filp/, kind("file", "access")],
];
const unknownCall = kind("process", "info");

/** Distinct functions remembered; a kernel has tens of thousands, a set of policies hooks a few dozen. */
const maxFunctions = 4_096;
const known = new Map<string, CallKind>();

/** The meaning of a hooked function, whatever its architecture's prefix. */
export function kindOfCall(name: string): CallKind {
  let found = known.get(name);
  if (found === undefined) {
    const bare = name.slice(0, 128).replace(/^(?:__(?:x64|arm64|ia32|se|do)_)?(?:compat_)?sys_(?:enter_|exit_)?/, "");
    found = functions.find(([pattern]) => pattern.test(bare))?.[1] ?? unknownCall;
    if (known.size < maxFunctions && name.length <= 128) known.set(name, found);
  }
  return found;
}

const text = (value: JsonValue | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const port = (value: JsonValue | undefined): number | undefined =>
  typeof value === "number" && value > 0 && value <= 65_535 ? value : undefined;

/** Two ends of a connection as the kernel names them: this host's first. */
export interface Ends {
  readonly localIp: JsonValue | undefined;
  readonly localPort: JsonValue | undefined;
  readonly remoteIp: JsonValue | undefined;
  readonly remotePort: JsonValue | undefined;
  readonly protocol: JsonValue | undefined;
}

/** `source` is who began the connection: for one accepted here that is the other side. */
export function putEnds(fields: Fields, ends: Ends, direction: "egress" | "ingress" | undefined): void {
  const local = direction === "ingress" ? "destination" : "source";
  const remote = direction === "ingress" ? "source" : "destination";
  const addresses: string[] = [];
  putEnd(fields, local, text(ends.localIp), port(ends.localPort), addresses);
  putEnd(fields, remote, text(ends.remoteIp), port(ends.remotePort), addresses);
  if (addresses.length > 0) fields["related.ip"] = addresses;
  if (direction !== undefined) fields["network.direction"] = direction;
  const protocol = text(ends.protocol);
  if (protocol !== undefined) fields["network.transport"] = protocol.replace(/^IPPROTO_/, "").toLowerCase();
}

function putEnd(
  fields: Fields,
  side: "source" | "destination",
  told: string | undefined,
  number: number | undefined,
  addresses: string[],
): void {
  // a socket of both families has IPv4 in IPv6, and private addresses are known as IPv4
  const ip = told === undefined ? undefined : (plainIp(told) ?? told);
  if (ip !== undefined) {
    fields[side === "source" ? "source.ip" : "destination.ip"] = ip;
    if (!addresses.includes(ip)) addresses.push(ip);
  }
  if (number !== undefined) fields[side === "source" ? "source.port" : "destination.port"] = number;
}

/** Raw buffers: base64 of up to 4 KiB each, which only the original needs to keep. */
const rawArguments: ReadonlySet<string> = new Set(["bytes_arg", "truncated_bytes_arg"]);
/** A policy can hook five arguments; the limit is against forgeries. */
const maxArguments = 16;

/** Files, connections and modules among a call's arguments as ECS; all arguments but raw buffers as `tetragon.args.<kind>…`. */
export function putArguments(fields: Fields, args: JsonValue | undefined, direction: "egress" | "ingress" | undefined): void {
  if (!Array.isArray(args)) return;
  const kept: JsonObject[] = [];
  for (const one of (args as readonly JsonValue[]).slice(0, maxArguments)) {
    if (!isObject(one)) continue;
    for (const name in one) {
      const value = one[name];
      if (isObject(value)) putArgument(fields, name, value, direction);
      if (value !== undefined && !rawArguments.has(name)) kept.push({ [name]: value });
    }
  }
  flattenValue(kept, fields, "tetragon.args");
}

function putArgument(fields: Fields, name: string, value: JsonObject, direction: "egress" | "ingress" | undefined): void {
  if (name === "sock_arg" || name === "skb_arg") {
    putEnds(
      fields,
      {
        localIp: value["saddr"],
        localPort: value["sport"],
        remoteIp: value["daddr"],
        remotePort: value["dport"],
        protocol: value["protocol"],
      },
      direction,
    );
  } else if (name === "sockaddr_arg") {
    putEnds(
      fields,
      { localIp: undefined, localPort: undefined, remoteIp: value["addr"], remotePort: value["port"], protocol: undefined },
      direction,
    );
  } else if (name === "module_arg" || name === "kernel_module_arg") {
    const module = text(value["name"]);
    if (module !== undefined) fields["file.name"] = module;
  } else {
    const path = text(value["path"]);
    if (path !== undefined && fields["file.path"] === undefined) putPath(fields, path);
  }
}

function putPath(fields: Fields, path: string): void {
  fields["file.path"] = path;
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name !== "") fields["file.name"] = name;
}
