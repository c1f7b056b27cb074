/** Reads syslog from datagrams: one message each (RFC 5426), those of one Linux audit event as one record. Knows nothing else of what messages say. */
import type { Clock } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import { auditStamp, bodyOf, endsEvent, isPart, type Message, patience } from "../audit/gather.ts";
import { rawRecord } from "../batch.ts";
import { nonce } from "../nonce.ts";
import type { DatagramReader } from "../udp.ts";
import { withoutTrailer } from "./framing.ts";

interface Held {
  readonly peer: string;
  readonly messages: Message[];
}

/** Datagrams come in no order that could be kept: the records of an event are held until its last one, `patience` datagrams at most. */
export function syslogDatagrams(clock: Clock): DatagramReader {
  const token = `${nonce(clock)}:udp`;
  let count = 0;
  const held = new Map<string, Held>();

  const recordOf = ({ messages, peer }: Held): RawRecord =>
    rawRecord(`${token}:${messages[0]!.start}`, bodyOf(messages, messages[0]!.body), undefined, undefined, peer);

  /** Those whose first datagram came so many datagrams ago. */
  function* due(wait: number): Generator<RawRecord> {
    for (const [key, one] of held) {
      if (count - one.messages[0]!.start < wait) return;
      held.delete(key);
      yield recordOf(one);
    }
  }

  return {
    *records({ bytes, peer }) {
      const end = withoutTrailer(bytes, 0, bytes.length);
      if (end === 0) return;
      const message: Message = { start: count++, next: count, body: bytes.subarray(0, end) };
      const stamp = auditStamp(message.body);
      const key = `${peer}\0${stamp?.key}`;
      const known = stamp && held.get(key);
      if (known !== undefined) known.messages.push(message);
      else if (stamp !== undefined && isPart(stamp)) held.set(key, { peer, messages: [message] });
      else yield recordOf({ peer, messages: [message] });
      if (known !== undefined && endsEvent(stamp!)) {
        held.delete(key);
        yield recordOf(known);
      }
      yield* due(patience);
    },
    get holding() {
      return held.size > 0;
    },
    settle: () => due(0),
    end: () => due(0),
  };
}
