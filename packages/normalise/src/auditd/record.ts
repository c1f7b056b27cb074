/** Takes a Linux audit record apart: `key=value` pairs, quoted, hex-encoded or plain. Knows no meaning of a type but how it writes arguments. */

/** Keys whose unquoted value may be the hex of text that holds blanks, quotes or control characters (audit_log_untrustedstring in the kernel). */
const encoded = new Set(
  "acct cmd comm cwd data dir exe file key name new-disk old-disk ocomm path proctitle root_dir sw vm watch".split(" "),
);

/** `a0` to `a9999`, and pieces of long ones (`a1[0]`): hex text in an EXECVE record, plain hex numbers in a SYSCALL record. */
const isArgument = (key: string): boolean => key.charCodeAt(0) === 0x61 && key.charCodeAt(1) >= 0x30 && key.charCodeAt(1) <= 0x39;

/** Text of hex digits; undefined where it is none. NULs, which separate the arguments of a proctitle, become blanks. */
function fromHex(text: string): string | undefined {
  if (text.length < 2 || text.length % 2 !== 0) return undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i) | 0x20;
    if (!((c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66))) return undefined;
  }
  return Buffer.from(text, "hex").toString("utf8").replaceAll("\0", " ").trimEnd();
}

/** A record has at most this many pairs; the longest kernel records have some 40, an EXECVE as many as there are arguments. */
const maxPairs = 512;

/**
 * Calls `set` for each pair, values decoded. A `msg='…'` of a user-space record is read as further pairs. Linear.
 * @param execve whether `a0` and so on are text
 */
export function eachPair(text: string, start: number, execve: boolean, set: (key: string, value: string) => void): void {
  let at = start;
  for (let pairs = 0; at < text.length && pairs < maxPairs; ) {
    const c = text.charCodeAt(at);
    // 0x1d separates what auditd resolved itself (ARCH=x86_64 UID="root"); a quote or a comma ends an inner message or a list.
    if (c === 0x20 || c === 0x1d || c === 0x27 || c === 0x2c || c === 0x0a) {
      at++;
      continue;
    }
    const equals = text.indexOf("=", at);
    if (equals < 0) return;
    const before = text.slice(at, equals);
    const key = before.slice(before.lastIndexOf(" ") + 1);
    const first = text.charCodeAt(equals + 1);
    if (key === "msg" && first === 0x27) {
      at = equals + 2;
      continue;
    }
    let end: number;
    if (first === 0x22) {
      end = text.indexOf('"', equals + 2);
      if (end < 0) end = text.length;
      set(key, text.slice(equals + 2, end));
      at = end + 1;
    } else {
      end = equals + 1;
      while (end < text.length && !isEnd(text.charCodeAt(end))) end++;
      const value = text.slice(equals + 1, end);
      set(key, (encoded.has(key) || (execve && isArgument(key)) ? fromHex(value) : undefined) ?? value);
      at = end;
    }
    pairs++;
  }
}

const isEnd = (c: number): boolean => c === 0x20 || c === 0x1d || c === 0x27 || c === 0x0a;

/** Types as numbers, which the kernel's own log and some forwarders write (linux/audit.h). */
const numbered = new Map(
  (
    "1006 LOGIN 1100 USER_AUTH 1101 USER_ACCT 1102 USER_MGMT 1103 CRED_ACQ 1104 CRED_DISP 1105 USER_START 1106 USER_END 1107 USER_AVC 1108 USER_CHAUTHTOK 1109 USER_ERR " +
    "1110 CRED_REFR 1112 USER_LOGIN 1113 USER_LOGOUT 1114 ADD_USER 1115 DEL_USER 1116 ADD_GROUP 1117 DEL_GROUP 1123 USER_CMD 1130 SERVICE_START 1131 SERVICE_STOP " +
    "1300 SYSCALL 1302 PATH 1303 IPC 1305 CONFIG_CHANGE 1306 SOCKADDR 1307 CWD 1309 EXECVE 1318 OBJ_PID 1319 TTY 1320 EOE 1321 BPRM_FCAPS 1322 CAPSET 1323 MMAP " +
    "1324 NETFILTER_PKT 1325 NETFILTER_CFG 1326 SECCOMP 1327 PROCTITLE 1330 KERN_MODULE 1331 FANOTIFY 1334 BPF 1336 URINGOP 1337 OPENAT2 1400 AVC 1401 SELINUX_ERR " +
    "1403 MAC_POLICY_LOAD 1404 MAC_STATUS 1700 ANOM_PROMISCUOUS 1701 ANOM_ABEND 1702 ANOM_LINK"
  )
    .match(/\d+ [A-Z_]+/g)!
    .map((pair) => pair.split(" ") as [string, string]),
);

/** The name of a type. */
export const typeName = (type: string): string => numbered.get(type) ?? type;
