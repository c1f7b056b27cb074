/**
 * Keeps configured sinks sending: reads on from each one's checkpoint, delivers, counts, and only then moves the checkpoint. A sink that is
 * slow or gone holds nobody up: the log keeps what it has not sent for as long as the log keeps anything. Knows no concrete sink.
 */
import { outgoing, type Schema } from "@vedette/egress";
import { type Clock, ConfigError, type Outgoing, type SinkSpec } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { DeadLetter, Micros, SinkState } from "@vedette/model";
import { type CheckpointStore, writeTable } from "@vedette/store";
import { reportOwn } from "../own_findings.ts";
import { deliver } from "./deliver.ts";
import { type Feed, type FeedOptions, feedOf, type Place, type Selection } from "./feed.ts";

export interface ConfiguredSink {
  readonly name: string;
  readonly type: string;
  readonly config: unknown;
  readonly select: Selection;
  /** A query; everything when empty. */
  readonly when: string;
  readonly format: Schema;
  /** Where a sink that never ran begins. */
  readonly from: "now" | "start";
}

/** What a sink has done; it balances: `read = sent + refused + skipped`. */
export interface SinkLine {
  readonly read: number;
  readonly sent: number;
  readonly refused: { readonly [reason: string]: number };
  /** Not asked for. */
  readonly skipped: number;
  /** Batches that the log dropped before they were sent. */
  readonly missed: number;
}

export interface SinkRunnerOptions extends Omit<FeedOptions, "busy" | "program"> {
  readonly log: Log;
  readonly checkpoints: CheckpointStore;
  readonly clock: Clock;
  readonly program: FeedOptions["program"];
  readonly busy: FeedOptions["busy"];
  readonly specs: ReadonlyMap<string, SinkSpec>;
  readonly tenant: string;
  readonly hostname: string;
  readonly version: string;
  readonly random?: () => number;
  readonly onProblem: (code: string, message: string | undefined) => void;
}

interface Entry {
  readonly sink: ConfiguredSink;
  readonly feed: Feed;
  readonly consumer: string;
  epoch: number;
  next: Place;
  line: SinkLine;
  state: SinkState["state"];
  problem?: string | undefined;
  answer?: string;
  lastSent?: Micros;
  /** When the oldest of what is under way was read. */
  since?: Micros | undefined;
  /** Said already that the log is about to drop what it has not sent; that it waits long. */
  warned: { losing: boolean; down: boolean };
  waitingSince?: Micros | undefined;
}

const nothing: SinkLine = { read: 0, sent: 0, refused: {}, skipped: 0, missed: 0 };
/** How often a sink with nothing to do looks again. */
const idle_ms = 200;
/** Positions move on without anything sent (ticks, what is not asked for) at most so often. */
const moveEvery: Micros = 10_000_000;
const watchEvery_ms = 10_000;
/** A receiver that is not there for so long is a person's business; a restart of theirs is shorter. */
const downAfter: Micros = 300_000_000;
/** Told while the oldest tenth of what the log keeps is not sent yet. */
const losingBelow = 0.1;
const maxReasons = 50;
const maxDeadBytes = 64 * 1024;

export class SinkRunner {
  readonly #options: SinkRunnerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #tasks: Promise<void>[] = [];

  constructor(options: SinkRunnerOptions) {
    this.#options = options;
  }

  /** @throws ConfigError for an unknown type or a configuration that does not fit. */
  start(sink: ConfiguredSink, signal: AbortSignal): Promise<void> {
    const spec = this.#options.specs.get(sink.type);
    if (!spec)
      throw new ConfigError(
        "config_invalid",
        `sinks.${sink.name}: unknown type ${sink.type}; known: ${[...this.#options.specs.keys()].join(", ")}`,
      );
    const parsed = spec.config.safeParse(sink.config ?? {});
    if (!parsed.success)
      throw new ConfigError(
        "config_invalid",
        `sinks.${sink.name}.${sink.type}: ${parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ")}`,
      );
    const entry: Entry = {
      sink,
      feed: feedOf(sink.select, sink.when, this.#options),
      consumer: `sink/${sink.name}`,
      epoch: 0,
      next: [],
      line: nothing,
      state: "idle",
      warned: { losing: false, down: false },
    };
    this.#entries.set(sink.name, entry);
    const task = this.#keep(entry, spec, parsed.data, signal);
    this.#tasks.push(task);
    return task;
  }

  /** Tells people in time: looks at every sink now and then, whatever each waits for. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(watchEvery_ms, signal);
      for (const entry of this.#entries.values()) if (!signal.aborted) await this.#look(entry).catch(() => {});
    }
  }

  async stopped(): Promise<void> {
    await Promise.allSettled(this.#tasks);
  }

  async states(): Promise<readonly SinkState[]> {
    const now = this.#options.clock.now();
    return Promise.all(
      [...this.#entries.values()].map(async ({ sink, feed, next, line, state, problem, answer, lastSent, since }) => {
        const { end } = await feed.bounds();
        return {
          name: sink.name,
          type: sink.type,
          select: sink.select,
          format: sink.format,
          state,
          ...line,
          pending: between(next, end),
          lag: since === undefined ? 0 : Math.max(0, now - since),
          ...(problem === undefined ? {} : { problem }),
          ...(answer === undefined ? {} : { answer }),
          ...(lastSent === undefined ? {} : { lastSent }),
        };
      }),
    );
  }

  /** What goes wrong on our side (a full disk, a certificate that cannot be read) is tried again, with longer and longer waits. */
  async #keep(entry: Entry, spec: SinkSpec, config: unknown, signal: AbortSignal): Promise<void> {
    const { clock, hostname, version } = this.#options;
    for (let delay_ms = 1_000; !signal.aborted; delay_ms = Math.min(delay_ms * 2, 60_000)) {
      try {
        const opened = await spec.open({ name: entry.sink.name, config, clock, hostname, version, writeTable });
        try {
          await this.#load(entry);
          await this.#run(entry, spec, opened, signal);
        } finally {
          await opened.close();
        }
      } catch (e) {
        if ((e as { code?: string }).code === "log_closed") break;
        entry.state = "failed";
        entry.problem = (e as Error).message;
        entry.waitingSince ??= clock.now();
        await clock.sleep(delay_ms, signal);
      }
    }
    entry.state = "stopped";
  }

  async #load(entry: Entry): Promise<void> {
    const { checkpoints } = this.#options;
    entry.epoch = await checkpoints.acquire(entry.consumer);
    const { offset, meta } = await checkpoints.load(entry.consumer);
    const { start, end } = await entry.feed.bounds();
    if (meta !== undefined) {
      const { others = [], ...line } = JSON.parse(meta) as SinkLine & { readonly others?: Place };
      const places = [offset, ...others];
      // of a partition that came later everything is new
      entry.next = start.map((first, n) => places[n] ?? first);
      entry.line = line;
      return;
    }
    entry.next = entry.sink.from === "start" ? start : end;
    await this.#commit(entry);
  }

  async #run(entry: Entry, spec: SinkSpec, opened: Awaited<ReturnType<SinkSpec["open"]>>, signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random, version } = this.#options;
    const options = {
      name: entry.sink.name,
      sink: opened,
      batch: spec.batch,
      clock,
      random,
      signal,
      onProblem: (reason: string | undefined) => this.#waits(entry, reason),
      onAnswer: (answer: string) => {
        entry.answer = answer;
        entry.lastSent = clock.now();
      },
    };
    let gathered: Outgoing[] = [];
    let bytes = 0;
    let line = entry.line;
    let next = entry.next;
    let moved = clock.now();
    while (!signal.aborted) {
      const page = await entry.feed.read(next);
      if (page) {
        next = page.next;
        line = {
          ...line,
          read: line.read + page.parcels.length + page.skipped,
          skipped: line.skipped + page.skipped,
          missed: line.missed + page.missed,
        };
        for (const parcel of page.parcels) {
          const record = outgoing(parcel, entry.sink.format, version);
          gathered.push(record);
          bytes += record.body.length;
        }
        if (gathered.length > 0) entry.since ??= clock.now();
      }
      const waited = entry.since === undefined ? 0 : clock.now() - entry.since;
      const full = gathered.length >= spec.batch.records || bytes >= spec.batch.bytes;
      if (gathered.length > 0 && (full || (!page && waited >= (spec.batch.wait_ms ?? 0) * 1_000))) {
        entry.state = "sending";
        const done = await deliver(gathered, options);
        if (done === undefined) return;
        if (done.refused.length > 0) await this.#bury(entry, done.refused);
        line = { ...line, sent: line.sent + done.sent, refused: counted(line.refused, done.refused) };
        [gathered, bytes, entry.since, entry.state] = [[], 0, undefined, "idle"];
        [entry.next, entry.line, moved] = [next, line, clock.now()];
        await this.#commit(entry);
      } else if (gathered.length === 0 && between(entry.next, next) > 0 && clock.now() - moved >= moveEvery) {
        [entry.next, entry.line, moved] = [next, line, clock.now()];
        await this.#commit(entry);
      }
      if (!page) await clock.sleep(gathered.length > 0 ? Math.min(idle_ms, spec.batch.wait_ms ?? 0) : idle_ms, signal);
    }
  }

  #waits(entry: Entry, reason: string | undefined): void {
    entry.problem = reason;
    entry.state = reason === undefined ? "sending" : "waiting";
    if (reason === undefined) {
      entry.waitingSince = undefined;
      entry.warned.down = false;
      this.#options.onProblem(`sink_down_${entry.sink.name}`, undefined);
    } else entry.waitingSince ??= this.#options.clock.now();
  }

  async #commit({ consumer, epoch, next, line }: Entry): Promise<void> {
    const [first = 0, ...others] = next;
    const meta = others.length === 0 ? line : { ...line, others };
    await this.#options.checkpoints.commit(consumer, epoch, first, JSON.stringify(meta), []);
  }

  /** What nobody will take is kept, with the reason, before the position moves past it. */
  async #bury({ sink }: Entry, refused: readonly { readonly record: Outgoing; readonly reason: string }[]): Promise<void> {
    const letters = refused.map(
      ({ record, reason }): DeadLetter => ({
        source: `sink/${sink.name}`,
        position: record.id,
        received: this.#options.clock.now(),
        stage: "egress",
        code: "refused_by_receiver",
        expected: reason,
        bytes: Buffer.from(record.body).subarray(0, maxDeadBytes).toString("base64"),
      }),
    );
    // of no raw batch: the engine takes no notice of it after a crash
    await this.#options.log.append("dead", 0, Buffer.from(JSON.stringify({ letters })));
  }

  async #look(entry: Entry): Promise<void> {
    const { clock, log, tenant, onProblem } = this.#options;
    const { name, type } = entry.sink;
    const say = async (what: "sink_down" | "sink_losing", summary: string) => {
      onProblem(`${what}_${name}`, summary);
      const title =
        what === "sink_down" ? "A sink's receiver does not take what is sent" : "The log is about to drop what a sink has not sent";
      const severity = what === "sink_down" ? "medium" : "high";
      await reportOwn(log, tenant, {
        rule: { id: `vedette_${what}`, title },
        severity,
        summary,
        entities: [{ type: "vedette.sink", id: name }],
        at: clock.now(),
      });
    };
    if (entry.waitingSince !== undefined && clock.now() - entry.waitingSince >= downAfter && !entry.warned.down) {
      entry.warned.down = true;
      await say(
        "sink_down",
        `${name} (${type}) has waited for ${Math.round((clock.now() - entry.waitingSince) / 60e6)} minutes: ${entry.problem ?? ""}`.slice(
          0,
          400,
        ),
      );
    }
    const { start, end } = await entry.feed.bounds();
    // a log that has dropped nothing yet has room
    const losing = entry.next.some((at, n) => start[n]! > 0 && at < start[n]! + (end[n]! - start[n]!) * losingBelow);
    if (losing && !entry.warned.losing)
      await say(
        "sink_losing",
        `${name} (${type}) has ${between(entry.next, end)} batches to send, ${between(entry.next, start)} of which the log has dropped; it keeps the newest ${between(start, end)}`,
      );
    if (!losing) onProblem(`sink_losing_${name}`, undefined);
    entry.warned.losing = losing;
  }
}

/** Batches of all partitions from one place to another. */
const between = (from: Place, to: Place): number => to.reduce((sum, at, n) => sum + Math.max(0, at - (from[n] ?? 0)), 0);

/** Receivers word their refusals as they like: the first so many kinds are told apart. */
function counted(before: SinkLine["refused"], refused: readonly { readonly reason: string }[]): SinkLine["refused"] {
  const all = new Map(Object.entries(before));
  for (const { reason } of refused) {
    const kind = reason.slice(0, 80);
    const name = all.has(kind) || all.size < maxReasons ? kind : "others";
    all.set(name, (all.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(all);
}
