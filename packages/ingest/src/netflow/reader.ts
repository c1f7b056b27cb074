/** Reads datagrams of NetFlow 5, NetFlow 9 (RFC 3954) and IPFIX (RFC 7011) into one JSON document per flow. What a flow means is the format's business. */
import type { Clock } from "@vedette/kit";
import type { Flaw, Micros, RawRecord } from "@vedette/model";
import { flawedRecord, rawRecord } from "../batch.ts";
import type { Lost } from "../deliver.ts";
import { nonce } from "../nonce.ts";
import type { Datagram, DatagramReader } from "../udp.ts";
import { Domain } from "./domain.ts";
import { flowText, type Sent } from "./flow.ts";
import { BadTemplate, type ReadRecord, readRecord, readTemplates, type Template, version5 } from "./template.ts";
import { type WaitingSet, WaitingSets } from "./waiting.ts";

export interface FlowReaderOptions {
  readonly clock: Clock;
  readonly warn: (code: string, message: string) => void;
  /** Bytes of records that may wait for their template. */
  readonly waitingBytes: number;
  readonly waiting_us: Micros;
  /** As `positions` gave them, of an earlier run. */
  readonly positions: ReadonlyMap<string, string>;
}

/** Exporters remembered; who sends from more addresses is none. */
const maxDomains = 4_096;
/** Fields of all templates together. */
const maxFields = 262_144;
/** A datagram of 64 KiB holds at most some 3,000 records of real exporters. */
const maxRecords = 4_000;
const stem = "templates ";

const notFlows = (problem: string): Flaw => ({ code: "bad_flow", expected: `a datagram of NetFlow 5, NetFlow 9 or IPFIX: ${problem}` });

/** One datagram on its way through. */
interface Message extends Sent {
  readonly key: string;
  readonly domain: Domain;
  readonly bytes: Buffer;
  readonly peer: string;
  readonly position: string;
  readonly out: RawRecord[];
}

export class FlowReader implements DatagramReader {
  readonly #options: FlowReaderOptions;
  readonly #token: string;
  readonly #domains = new Map<string, Domain>();
  readonly #waiting: WaitingSets;
  readonly #lost: { [reason: string]: number } = {};
  #fields = 0;
  #datagrams = 0;

  constructor(options: FlowReaderOptions) {
    this.#options = options;
    this.#token = nonce(options.clock);
    this.#waiting = new WaitingSets(options.waitingBytes, options.waiting_us);
    for (const [stream, text] of options.positions) {
      if (!stream.startsWith(stem)) continue;
      const domain = Domain.ofText(text);
      this.#domains.set(stream.slice(stem.length), domain);
      this.#fields += domain.fields;
    }
  }

  records(datagram: Datagram): RawRecord[] {
    const out: RawRecord[] = [];
    const position = `${this.#token}:${this.#datagrams++}`;
    const bytes = datagram.bytes;
    const version = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
    const head = { 5: 24, 9: 20, 10: 16 }[version];
    if (head === undefined || bytes.length < head)
      return [this.#flawed(bytes, position, datagram.peer, head === undefined ? `its version is ${version}` : "it ends within its head")];
    if (version === 5) this.#version5(bytes, datagram.peer, position, out);
    else this.#sets(bytes, version as 9 | 10, datagram.peer, position, out);
    for (const set of this.#waiting.overdue(this.#options.clock.now())) out.push(this.#unread(set));
    return out;
  }

  lost(): Lost {
    for (const [key, { sequence }] of this.#domains) this.#count(key, sequence.take());
    const lost = { ...this.#lost };
    for (const reason in this.#lost) delete this.#lost[reason];
    return lost;
  }

  *positions(): Generator<readonly [string, string]> {
    for (const [key, domain] of this.#domains) {
      if (!domain.changed) continue;
      domain.changed = false;
      const text = domain.text();
      if (text !== undefined) yield [stem + key, text];
    }
  }

  *end(): Generator<RawRecord> {
    for (const { sequence } of this.#domains.values()) sequence.end();
    for (const set of this.#waiting.all()) yield this.#unread(set);
  }

  #version5(bytes: Buffer, peer: string, position: string, out: RawRecord[]): void {
    const count = bytes.readUInt16BE(2);
    const key = `5 ${peer} ${bytes.readUInt16BE(20)}`;
    const domain = this.#domain(key);
    const message = this.#message(key, domain, bytes, { version: 5, peer, position, out });
    this.#restarted(domain, message.uptime!);
    domain.sequence.next(bytes.readUInt32BE(16), count);
    // the upper two bits tell how, the lower fourteen how many
    const interval = bytes.readUInt16BE(22) & 0x3fff;
    if (interval > 0) domain.observe({ samplingInterval: interval });
    const whole = bytes.subarray(24, 24 + count * version5.minLength);
    this.#records(message, version5, whole);
    if (whole.length < count * version5.minLength)
      out.push(this.#flawed(bytes, `${position}:end`, peer, `it tells of ${count} flows and ends before`));
  }

  #sets(bytes: Buffer, version: 9 | 10, peer: string, position: string, out: RawRecord[]): void {
    const head = version === 9 ? 20 : 16;
    const key = `${version} ${peer} ${bytes.readUInt32BE(head - 4)}`;
    const domain = this.#domain(key);
    const message = this.#message(key, domain, bytes, { version, peer, position, out });
    if (version === 9) this.#restarted(domain, message.uptime!);
    const length = version === 9 ? bytes.length : bytes.readUInt16BE(2);
    if (length > bytes.length)
      out.push(this.#flawed(bytes, `${position}:end`, peer, `it tells of ${length} bytes and has ${bytes.length}`));
    const end = Math.min(length, bytes.length);
    let counted: number | undefined = 0;
    for (let at = head; at + 4 <= end; ) {
      const size = bytes.readUInt16BE(at + 2);
      if (size < 4 || at + size > end) {
        out.push(this.#flawed(bytes.subarray(at, end), `${position}:${at}`, peer, `a set tells of ${size} bytes`));
        counted = undefined;
        break;
      }
      const records = this.#set(message, bytes.readUInt16BE(at), bytes.subarray(at + 4, at + size), at);
      counted = records === undefined || counted === undefined ? undefined : counted + records;
      at += size;
    }
    // NetFlow 9 counts datagrams, IPFIX records (RFC 7011, 3.1)
    domain.sequence.next(bytes.readUInt32BE(version === 9 ? 12 : 8), version === 9 ? 1 : counted);
  }

  /** Records in the set; undefined where that cannot be told. */
  #set(message: Message, id: number, set: Buffer, at: number): number | undefined {
    const { version, domain, key, position, peer } = message;
    const [templates, optionTemplates] = version === 9 ? [0, 1] : [2, 3];
    if (id === templates || id === optionTemplates) {
      this.#learn(message, set, id === optionTemplates, at);
      return 0;
    }
    if (id < 256) {
      message.out.push(this.#flawed(set, `${position}:${at}`, peer, `a set has number ${id}`));
      return undefined;
    }
    const template = domain.template(id);
    if (template !== undefined) return this.#records(message, template, set, at);
    const { exported, uptime } = message;
    const waiting = { bytes: Buffer.from(set), position: `${position}:${at}`, peer, exported, uptime, since: this.#options.clock.now() };
    if (this.#waiting.push(`${key}/${id}`, waiting))
      this.#options.warn(
        "template_missing",
        `${peer}: records of template ${id} wait for the template, which the exporter has not sent yet`,
      );
    return undefined;
  }

  #learn(message: Message, set: Buffer, options: boolean, at: number): void {
    const { version, domain, key, peer, position, out } = message;
    try {
      for (const template of readTemplates(set, version as 9 | 10, options)) {
        if ("withdrawn" in template) domain.forget(template.withdrawn);
        else if (!this.#fits(domain, template)) throw new BadTemplate(`template ${template.id} is one too many`);
        else
          for (const one of this.#waiting.take(`${key}/${template.id}`))
            this.#records({ ...message, ...one, bytes: one.bytes }, template, one.bytes);
      }
    } catch (error) {
      if (!(error instanceof BadTemplate)) throw error;
      out.push(this.#flawed(set, `${position}:${at}`, peer, error.message));
    }
  }

  #fits(domain: Domain, template: Template): boolean {
    const before = domain.fields;
    const fine = domain.learn(template);
    this.#fields += domain.fields - before;
    return fine;
  }

  #records(message: Message, template: Template, set: Buffer, at = 0): number | undefined {
    const { domain, position, peer, out } = message;
    let n = 0;
    let offset = 0;
    while (set.length - offset >= template.minLength) {
      if (n >= maxRecords) {
        out.push(this.#flawed(set.subarray(offset), `${position}:${at}:${n}`, peer, `a set has more than ${maxRecords} records`));
        return undefined;
      }
      const record: ReadRecord | undefined = readRecord(template, set, offset);
      if (record === undefined) {
        out.push(this.#flawed(set.subarray(offset), `${position}:${at}:${n}`, peer, "a record ends within its fields"));
        return undefined;
      }
      if (template.scopes > 0) domain.observe(record.values);
      const sampling = template.scopes > 0 ? undefined : domain.samplingOf(record.values);
      const text = flowText(message, record, template.scopes > 0, sampling);
      out.push(rawRecord(`${position}:${at}:${n}`, Buffer.from(text), undefined, undefined, peer));
      n++;
      offset = record.end;
    }
    return n;
  }

  #message(
    key: string,
    domain: Domain,
    bytes: Buffer,
    about: { readonly version: 5 | 9 | 10; readonly peer: string; readonly position: string; readonly out: RawRecord[] },
  ): Message {
    const { version } = about;
    const seconds = bytes.readUInt32BE(version === 10 ? 4 : 8);
    const exported = seconds * 1_000_000 + (version === 5 ? Math.round(bytes.readUInt32BE(12) / 1_000) : 0);
    return { ...about, key, domain, bytes, exported, uptime: version === 10 ? undefined : bytes.readUInt32BE(4) };
  }

  /** The most recently heard are last. */
  #domain(key: string): Domain {
    const domain = this.#domains.get(key) ?? new Domain();
    this.#domains.delete(key);
    this.#domains.set(key, domain);
    for (const [oldest, { fields, sequence }] of this.#domains) {
      if (oldest === key || (this.#domains.size <= maxDomains && this.#fields <= maxFields)) break;
      sequence.end();
      this.#count(oldest, sequence.take());
      this.#fields -= fields;
      this.#domains.delete(oldest);
    }
    return domain;
  }

  /** An exporter whose uptime fell has started again, and counts anew. */
  #restarted(domain: Domain, uptime: number): void {
    // datagrams that overtook each other differ by less than a minute
    if (uptime + 60_000 < domain.uptime) domain.sequence.restart();
    domain.uptime = uptime;
  }

  /** What is missing are flows, but of NetFlow 9 datagrams with an unknown number of them. */
  #count(key: string, lost: number): void {
    const reason = key.startsWith("9 ") ? "lost_datagrams" : "lost_flows";
    if (lost > 0) this.#lost[reason] = (this.#lost[reason] ?? 0) + lost;
  }

  #unread({ bytes, position, peer }: WaitingSet): RawRecord {
    return this.#flawed(bytes, position, peer, "the template of these records never came");
  }
  #flawed(bytes: Uint8Array, position: string, peer: string, problem: string): RawRecord {
    return flawedRecord(position, bytes, notFlows(problem), bytes.length, peer);
  }
}
