/** Reads what may stand before a self-describing message (`%ASA-…`, `CEF:…`, `LEEF:…`): a priority, a stamp and a host, or the whole header of RFC 5424. */
import type { Decoded } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { rfc3339At, stampEnd } from "../time/parse.ts";
import { stampStop, syslogStampAt } from "../time/stamps.ts";

export interface Prefix {
  /** -1 where there is none. */
  readonly priority: number;
  readonly time: Micros | undefined;
  readonly host: string | undefined;
}

/** Priority, stamp and the longest host name are no longer than this: further on in a line a message of that kind is only quoted. */
export const maxPrefix = 320;

/** Version, stamp, host, and perhaps program, process, message id and structured data, which some devices leave out: what comes behind them is the message itself. */
const rfc5424 = /^1 (\S{1,48}) (\S{1,255})(?: \S{1,48} \S{1,128} \S{1,32} (?:-|(?:\[[^\]]{0,255}\])+))? ?$/;

/** Undefined where the text holds anything else: then it is another program that quotes such a message. */
export function readPrefix(text: string, received: Micros): Prefix | undefined {
  let at = 0;
  let priority = -1;
  if (text.charCodeAt(0) === 0x3c) {
    at = text.indexOf(">") + 1;
    if (at < 3 || at > 5) return undefined;
    priority = Number(text.slice(1, at - 1));
    if (!(priority >= 0 && priority <= 191)) return undefined;
  }
  const modern = priority < 0 ? null : rfc5424.exec(text.slice(at));
  if (modern !== null) return { priority, time: rfc3339At(modern[1]!, 0), host: modern[2] === "-" ? undefined : modern[2] };
  while (text.charCodeAt(at) === 0x20) at++;
  let time = syslogStampAt(text, at, received);
  if (time !== undefined) at = stampStop();
  else {
    time = rfc3339At(text, at);
    if (time !== undefined) at = stampEnd();
  }
  const words = text
    .slice(at)
    .split(/[ :]{1,8}/, 8)
    .filter((word) => word !== "");
  // A zone's name, as Cisco's `clock timezone` adds it.
  if (time !== undefined && words.length > 0 && /^[A-Z]{3,4}$/.test(words[0]!)) words.shift();
  return words.length > 1 ? undefined : { priority, time, host: words[0] };
}

/** Decodes a message that begins with `mark`, bare or behind a prefix, which then tells the observer and, where the message does not, the time. */
export function behindPrefix(
  line: string,
  mark: string,
  decode: (message: string) => Decoded | undefined,
  received: Micros,
): Decoded | undefined {
  const at = line.indexOf(mark);
  const decoded = at < 0 || at > maxPrefix ? undefined : decode(line.slice(at));
  if (decoded === undefined || at === 0) return decoded;
  const prefix = readPrefix(line.slice(0, at), received);
  if (prefix === undefined) return undefined;
  if (prefix.host !== undefined) decoded.fields["observer.hostname"] ??= prefix.host;
  decoded.time ??= prefix.time;
  return decoded;
}
