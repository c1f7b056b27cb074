/** Questions of DNS and their answers over one connection, as rows of Zeek's dns log. Knows no packet. */
import type { Micros } from "@vedette/model";
import { codeName, type DnsMessage, dnsOf, typeName } from "./dns.ts";
import type { Flow } from "./flow.ts";
import { idColumns, type Row, seconds } from "./row.ts";

/** Questions of one connection that wait for their answer. */
const maxWaiting = 64;

export class Names {
  readonly #waiting = new Map<number, { readonly message: DnsMessage; readonly time: Micros }>();

  add(bytes: Buffer, flow: Flow, uid: string, time: Micros, take: (row: Row) => void): void {
    const message = dnsOf(bytes);
    if (!message) return;
    if (!message.response) {
      if (this.#waiting.size >= maxWaiting) this.end(flow, uid, take);
      this.#waiting.set(message.id, { message, time });
      return;
    }
    const asked = this.#waiting.get(message.id);
    const fits = asked?.message.query === message.query;
    if (fits) this.#waiting.delete(message.id);
    take(row(flow, uid, message, fits ? asked.time : time, fits ? time - asked.time : undefined));
  }

  /** What was never answered. */
  end(flow: Flow, uid: string, take: (row: Row) => void): void {
    for (const { message, time } of this.#waiting.values()) take(row(flow, uid, message, time, undefined));
    this.#waiting.clear();
  }
}

function row(flow: Flow, uid: string, m: DnsMessage, time: Micros, took: Micros | undefined): Row {
  return {
    _path: "dns",
    ts: seconds(time),
    uid,
    ...idColumns(flow),
    proto: flow.proto,
    trans_id: m.id,
    ...(took === undefined ? {} : { rtt: seconds(Math.max(0, took)) }),
    query: m.query,
    qclass: m.qclass,
    qclass_name: m.qclass === 1 ? "C_INTERNET" : `qclass-${m.qclass}`,
    qtype: m.qtype,
    qtype_name: typeName(m.qtype),
    ...(m.response ? { rcode: m.rcode, rcode_name: codeName(m.rcode) } : {}),
    ...m.flags,
    Z: 0,
    ...(m.answers.length > 0 ? { answers: m.answers, TTLs: m.ttls } : {}),
    rejected: m.response && m.rcode === 5,
  };
}
