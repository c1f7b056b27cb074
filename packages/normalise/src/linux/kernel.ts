/** What the kernel says beside its packet filter: crashes, killed processes, modules, devices, mandatory access control. */
import type { Fields } from "@vedette/model";
import { readPacketFilter } from "./packet_filter.ts";

/** `[12345.678901] ` in front of a line of the ring buffer. */
const uptime = /^\[\s{0,12}\d{1,12}\.\d{1,9}\] /;

export function readKernel(message: string, fields: Fields): boolean {
  if (readPacketFilter(message, fields)) return true;
  const stamp = uptime.exec(message.slice(0, 32));
  const text = stamp === null ? message : message.slice(stamp[0].length);
  return crash(text, fields) || outOfMemory(text, fields) || accessControl(text, fields) || device(text, fields);
}

function set(fields: Fields, category: string | readonly string[], type: string | readonly string[], action: string): void {
  fields["event.category"] = category;
  fields["event.type"] = type;
  fields["event.action"] = action;
}

/** `su[1433535]: segfault at 7f… ip … in ld-linux-x86-64.so.2[…]`; `traps: x[1] general protection fault`. */
function crash(text: string, fields: Fields): boolean {
  const found =
    /^(?:traps: )?([^[\]]{1,64})\[(\d{1,10})\]:? (segfault at |general protection|trap invalid opcode|trap int3|bad frame)/.exec(
      text.slice(0, 256),
    );
  if (found === null) return false;
  set(fields, "process", ["error", "end"], found[3]!.startsWith("segfault") ? "process_segfault" : "process_fault");
  fields["process.name"] = found[1]!;
  fields["process.pid"] = Number(found[2]);
  const library = / in ([^\s[]{1,255})\[/.exec(text.slice(0, 512));
  if (library !== null) fields["dll.name"] = library[1]!;
  return true;
}

/** `Out of memory: Killed process 123 (name) …`, `Memory cgroup out of memory: Kill process …`, `oom-kill:…,task_memcg=…,task=x,pid=1,uid=2`. */
function outOfMemory(text: string, fields: Fields): boolean {
  const killed = /[Oo]ut of memory: Kill(?:ed)? process (\d{1,10}),? \((.{1,64}?)\)/.exec(text.slice(0, 256));
  if (killed !== null) {
    set(fields, "process", "end", "out_of_memory");
    fields["process.pid"] = Number(killed[1]);
    fields["process.name"] = killed[2]!;
    const uid = /\bUID:(\d{1,10})\b/i.exec(text);
    if (uid !== null) fields["user.id"] = uid[1]!;
    return true;
  }
  const oom = /^oom-kill:.{0,1024}?,task=([^,]{1,64}),pid=(\d{1,10}),uid=(\d{1,10})/.exec(text.slice(0, 2_048));
  if (oom === null) return false;
  set(fields, "process", "end", "out_of_memory");
  fields["process.name"] = oom[1]!;
  fields["process.pid"] = Number(oom[2]);
  fields["user.id"] = oom[3]!;
  const job = /\/job_(\d{1,10})(?:\/step_(\w{1,16}))?/.exec(text.slice(0, 2_048));
  if (job !== null) fields["slurm.job.id"] = job[1]!;
  return true;
}

/** `[audit: ]type=1400 audit(…): apparmor="DENIED" operation="open" profile="…" name="…" pid=1 comm="…"`; SELinux's `avc:  denied  { read } for  pid=1 comm="x"`. */
function accessControl(text: string, fields: Fields): boolean {
  const armor = /\bapparmor="([A-Z]{1,16})"/.exec(text.slice(0, 256));
  const linux = armor === null ? /\bavc:\s{1,4}(denied|granted)\s{1,4}\{ ([^}]{1,128}) \}/.exec(text.slice(0, 256)) : null;
  if (armor === null && linux === null) return false;
  const verdict = armor === null ? linux![1]!.toUpperCase() : armor[1]!;
  const denied = verdict === "DENIED";
  set(fields, ["process", "intrusion_detection"], denied ? "denied" : "info", armor === null ? "selinux_access" : "apparmor_access");
  fields["event.outcome"] = denied ? "failure" : "success";
  const quoted = (key: string) => new RegExp(`\\b${key}="([^"]{1,1024})"`).exec(text.slice(0, 4_096))?.[1];
  const comm = quoted("comm");
  if (comm !== undefined) fields["process.name"] = comm;
  const path = quoted("name") ?? quoted("path");
  if (path !== undefined) fields["file.path"] = path;
  const profile = quoted("profile");
  if (profile !== undefined) fields["rule.name"] = profile;
  const operation = quoted("operation") ?? linux?.[2];
  if (operation !== undefined) fields["linux.kernel.operation"] = operation;
  const pid = /\bpid=(\d{1,10})\b/.exec(text);
  if (pid !== null) fields["process.pid"] = Number(pid[1]);
  return true;
}

const devices: readonly (readonly [RegExp, string, string, string])[] = [
  [/^device (\S{1,32}) entered promiscuous mode|^(\S{1,32}): entered promiscuous mode/, "network", "start", "promiscuous_mode"],
  [/^(?:device )?(\S{1,32}):? left promiscuous mode/, "network", "end", "promiscuous_mode"],
  [/^(\S{1,64}): (?:loading out-of-tree module taints kernel|module verification failed)/, "driver", "start", "module_taint"],
  [/^(\S{1,64}): module license '[^']{0,64}' taints kernel/, "driver", "start", "module_taint"],
  [/^usb (\S{1,32}): New USB device found/, "host", "creation", "usb_device"],
  [/^Kernel panic - not syncing: (.{1,128})/, "host", "error", "kernel_panic"],
];

function device(text: string, fields: Fields): boolean {
  for (const [pattern, category, type, action] of devices) {
    const found = pattern.exec(text.slice(0, 256));
    if (found === null) continue;
    set(fields, category, type, action);
    const name = found[1] ?? found[2];
    if (action === "promiscuous_mode" && name !== undefined) fields["observer.ingress.interface.name"] = name;
    else if (action === "module_taint" && name !== undefined) fields["driver.name"] = name;
    else if (action === "kernel_panic" && name !== undefined) fields["event.reason"] = name;
    return true;
  }
  return false;
}
