/** Reads syslog from datagrams: one message each (RFC 5426). Knows nothing of what messages say. */
import type { Clock } from "@vedette/kit";
import { rawRecord } from "../batch.ts";
import { nonce } from "../nonce.ts";
import type { DatagramReader } from "../udp.ts";
import { withoutTrailer } from "./framing.ts";

export function syslogDatagrams(clock: Clock): DatagramReader {
  const token = `${nonce(clock)}:udp`;
  let count = 0;
  return {
    records: ({ bytes, peer }) => {
      const end = withoutTrailer(bytes, 0, bytes.length);
      return end === 0 ? [] : [rawRecord(`${token}:${count++}`, bytes.subarray(0, end), undefined, undefined, peer)];
    },
  };
}
