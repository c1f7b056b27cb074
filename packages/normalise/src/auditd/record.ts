/** Takes a Linux audit record apart: `key=value` pairs, quoted, hex-encoded or plain. Knows no meaning of a type. */

/** Keys whose unquoted value may be the hex of text that holds blanks, quotes or control characters (audit_log_untrustedstring in the kernel). */
const encoded = new Set(
  "acct cmd comm cwd data dir exe file key name new-disk old-disk ocomm path proctitle root_dir sw vm watch".split(" "),
);

/** `a0` to `a9999`, and pieces of long ones (`a1[0]`): hex text in an EXECVE record, plain hex numbers in a SYSCALL record. */
export const isArgument = (key: string): boolean => key.charCodeAt(0) === 0x61 && key.charCodeAt(1) >= 0x30 && key.charCodeAt(1) <= 0x39;

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
