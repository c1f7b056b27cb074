/** System calls by number, for the machines that log most, and what kind of event each is. Knows nothing of a record's form. */
import type { FieldValue } from "@vedette/model";

/** Names by `arch=` (the ELF machine with its flags, as the kernel writes it) and number: arch/x86/entry/syscalls, include/uapi/asm-generic/unistd.h. */
const tables = {
  c000003e:
    "0 read 1 write 2 open 3 close 9 mmap 10 mprotect 16 ioctl 21 access 33 dup2 40 sendfile 41 socket 42 connect 43 accept 44 sendto 45 recvfrom 46 sendmsg 47 recvmsg " +
    "49 bind 50 listen 53 socketpair 54 setsockopt 56 clone 57 fork 58 vfork 59 execve 60 exit 62 kill 63 uname 72 fcntl 76 truncate 77 ftruncate 80 chdir 81 fchdir 82 rename " +
    "83 mkdir 84 rmdir 85 creat 86 link 87 unlink 88 symlink 89 readlink 90 chmod 91 fchmod 92 chown 93 fchown 94 lchown 99 sysinfo 101 ptrace 103 syslog 105 setuid " +
    "106 setgid 112 setsid 113 setreuid 114 setregid 116 setgroups 117 setresuid 119 setresgid 122 setfsuid 123 setfsgid 126 capset 132 utime 133 mknod 135 personality " +
    "155 pivot_root 157 prctl 159 adjtimex 160 setrlimit 161 chroot 163 acct 164 settimeofday 165 mount 166 umount2 167 swapon 168 swapoff 169 reboot 170 sethostname " +
    "171 setdomainname 172 iopl 173 ioperm 174 create_module 175 init_module 176 delete_module 179 quotactl 188 setxattr 189 lsetxattr 190 fsetxattr 197 removexattr " +
    "198 lremovexattr 199 fremovexattr 200 tkill 227 clock_settime 231 exit_group 234 tgkill 235 utimes 246 kexec_load 248 add_key 250 keyctl 257 openat 258 mkdirat " +
    "259 mknodat 260 fchownat 261 futimesat 263 unlinkat 264 renameat 265 linkat 266 symlinkat 267 readlinkat 268 fchmodat 269 faccessat 272 unshare 280 utimensat " +
    "285 fallocate 288 accept4 298 perf_event_open 300 fanotify_init 301 fanotify_mark 304 open_by_handle_at 305 clock_adjtime 307 sendmmsg 308 setns 310 process_vm_readv " +
    "311 process_vm_writev 313 finit_module 316 renameat2 317 seccomp 319 memfd_create 320 kexec_file_load 321 bpf 322 execveat 323 userfaultfd 425 io_uring_setup " +
    "429 move_mount 435 clone3 437 openat2 452 fchmodat2",
  c00000b7:
    "5 setxattr 6 lsetxattr 7 fsetxattr 14 removexattr 15 lremovexattr 16 fremovexattr 25 fcntl 29 ioctl 33 mknodat 34 mkdirat 35 unlinkat 36 symlinkat 37 linkat " +
    "38 renameat 39 umount2 40 mount 41 pivot_root 45 truncate 46 ftruncate 47 fallocate 48 faccessat 49 chdir 51 chroot 52 fchmod 53 fchmodat 54 fchownat 55 fchown " +
    "56 openat 57 close 63 read 64 write 78 readlinkat 88 utimensat 89 acct 91 capset 92 personality 93 exit 94 exit_group 97 unshare 104 kexec_load 105 init_module " +
    "106 delete_module 112 clock_settime 116 syslog 117 ptrace 129 kill 130 tkill 131 tgkill 142 reboot 143 setregid 144 setgid 145 setreuid 146 setuid 147 setresuid " +
    "149 setresgid 151 setfsuid 152 setfsgid 159 setgroups 160 uname 161 sethostname 162 setdomainname 167 prctl 170 settimeofday 171 adjtimex 179 sysinfo 198 socket " +
    "200 bind 201 listen 202 accept 203 connect 206 sendto 207 recvfrom 208 setsockopt 211 sendmsg 212 recvmsg 217 add_key 219 keyctl 220 clone 221 execve 222 mmap " +
    "224 swapon 225 swapoff 226 mprotect 241 perf_event_open 242 accept4 262 fanotify_init 263 fanotify_mark 265 open_by_handle_at 266 clock_adjtime 268 setns " +
    "269 sendmmsg 270 process_vm_readv 271 process_vm_writev 273 finit_module 276 renameat2 277 seccomp 279 memfd_create 280 bpf 281 execveat 282 userfaultfd " +
    "294 kexec_file_load 425 io_uring_setup 429 move_mount 435 clone3 437 openat2 452 fchmodat2",
  "40000003":
    "1 exit 2 fork 3 read 4 write 5 open 8 creat 9 link 10 unlink 11 execve 12 chdir 14 mknod 15 chmod 16 lchown 21 mount 23 setuid 26 ptrace 30 utime 37 kill 38 rename " +
    "39 mkdir 40 rmdir 46 setgid 51 acct 52 umount2 54 ioctl 61 chroot 66 setsid 70 setreuid 71 setregid 74 sethostname 79 settimeofday 83 symlink 85 readlink 87 swapon " +
    "88 reboot 92 truncate 93 ftruncate 94 fchmod 95 fchown 101 ioperm 102 socketcall 103 syslog 110 iopl 115 swapoff 116 sysinfo 120 clone 121 setdomainname 122 uname " +
    "124 adjtimex 125 mprotect 128 init_module 129 delete_module 136 personality 172 prctl 182 chown 190 vfork 198 lchown 203 setreuid 204 setregid 207 fchown " +
    "208 setresuid 210 setresgid 212 chown 213 setuid 214 setgid 217 pivot_root 226 setxattr 227 lsetxattr 228 fsetxattr 235 removexattr 236 lremovexattr " +
    "237 fremovexattr 252 exit_group 264 clock_settime 270 tgkill 271 utimes 283 kexec_load 295 openat 296 mkdirat 297 mknodat 298 fchownat 301 unlinkat 302 renameat " +
    "303 linkat 304 symlinkat 306 fchmodat 310 unshare 320 utimensat 346 setns 347 process_vm_readv 348 process_vm_writev 350 finit_module 353 renameat2 356 memfd_create " +
    "357 bpf 358 execveat 359 socket 361 bind 362 connect 363 listen 364 accept4 369 sendto 370 sendmsg 371 recvfrom 372 recvmsg 437 openat2 452 fchmodat2",
} as const;

const named = new Map<string, string>();
for (const [arch, table] of Object.entries(tables)) {
  const words = table.split(" ");
  for (let i = 0; i < words.length; i += 2) named.set(`${arch} ${words[i]}`, words[i + 1]!);
}
const architectures = new Map([
  ["x86_64", "c000003e"],
  ["aarch64", "c00000b7"],
  ["i386", "40000003"],
]);

/** What a system call is called, given its number and the `arch` beside it; a name stays one. */
export function callName(arch: string | undefined, call: string | undefined): string | undefined {
  if (call === undefined) return undefined;
  const first = call.charCodeAt(0);
  if (first < 0x30 || first > 0x39) return call;
  if (arch === undefined) return undefined;
  const plain = arch.startsWith("0x") ? arch.slice(2) : arch;
  return named.get(`${architectures.get(plain) ?? plain} ${call}`);
}

type Kind = readonly [category: string, type: FieldValue];
const kinds = new Map<string, Kind>();
for (const [calls, ...kind] of [
  ["execve execveat", "process", "start"],
  ["exit exit_group", "process", "end"],
  ["kill tkill tgkill ptrace process_vm_writev setns unshare prctl capset", "process", "change"],
  ["setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups", "process", "change"],
  ["open openat openat2 open_by_handle_at readlink readlinkat access faccessat", "file", "access"],
  ["creat mkdir mkdirat mknod mknodat link linkat symlink symlinkat", "file", "creation"],
  ["unlink unlinkat rmdir", "file", "deletion"],
  ["rename renameat renameat2 truncate ftruncate fallocate utime utimes utimensat futimesat", "file", "change"],
  ["chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat", "file", "change"],
  ["setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr", "file", "change"],
  ["connect accept accept4", "network", ["connection", "start"]],
  ["sendto sendmsg sendmmsg recvfrom recvmsg", "network", "connection"],
  ["socket bind listen setsockopt socketpair socketcall", "network", "info"],
  ["create_module init_module finit_module", "driver", "start"],
  ["delete_module", "driver", "end"],
  ["mount umount2 move_mount pivot_root chroot swapon swapoff acct reboot kexec_load kexec_file_load", "configuration", "change"],
  ["settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname", "configuration", "change"],
] as const satisfies readonly (readonly [string, string, FieldValue])[])
  for (const call of calls.split(" ")) kinds.set(call, kind);

/** The event's category and type by what was asked of the kernel; undefined for calls of no kind of their own. */
export const kindOf = (call: string | undefined): Kind | undefined => (call === undefined ? undefined : kinds.get(call));

/** Calls whose address is the one that is reached; `accept`'s and `recvfrom`'s is the one that came. */
export const comesIn = (call: string | undefined): boolean => call !== undefined && /^(?:accept|recv)/.test(call);

/** Where an open call has its flags. */
export const flagsArgument = (call: string | undefined): string | undefined =>
  call === "open" ? "a1" : call === "openat" ? "a2" : undefined;
