/** One running Vedette: opens what it stands on, wires the parts, and answers for their state. Knows no HTTP and no command line. */

import { crc32 } from "node:zlib";
import type { AuditTrail } from "@vedette/audit";
import { type Clock, type EndpointContext, type Intake, type SourceSpec, systemClock, UnavailableError } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Alert, DeadLetter, Event, EventClass, Micros, QualityReport, Requester } from "@vedette/model";
import { formats } from "@vedette/normalise";
import type { CheckpointStore, EventHold, SeriesRetention, Store } from "@vedette/store";
import { feedAudit } from "./audit_feed.ts";
import { encodeTick } from "./batch.ts";
import { type CanaryKey, reservedPrefix } from "./canary/mark.ts";
import { CanaryNews } from "./canary/news.ts";
import { Prover } from "./canary/prover.ts";
import { Control } from "./control.ts";
import type { Detection } from "./detection.ts";
import { type ConfiguredSink, SinkRunner, type SinkRunnerOptions, type SinkState } from "./egress/runner.ts";
import { Engine, type EngineOptions, engineConsumer } from "./engine.ts";
import { Enrichment, type EnrichmentOptions } from "./enrichment.ts";
import { PipelineDesk, type PipelineDeskOptions, type PipelinesApplied } from "./event_pipelines/desk.ts";
import { Headroom } from "./headroom.ts";
import { joinInstallation } from "./installation.ts";
import { Intakes, type SourceOptions } from "./intake.ts";
import type { DetectorLine } from "./keyed.ts";
import { type SourceLine, withSeries } from "./ledger.ts";
import { patient } from "./patient.ts";
import { type Pool, threadPool } from "./pool.ts";
import type { Program, ProgramFile } from "./program.ts";
import { QualityKeeper } from "./quality/keeper.ts";
import type { QualityOptions } from "./quality/watch.ts";
import { Rates } from "./rates.ts";
import { type ClusterPart, Roles } from "./roles.ts";
import { RuleDesk, type RuleDeskOptions } from "./rules/desk.ts";
import type { RuleMove } from "./rules/moves.ts";
import type { Releases } from "./rules/releases.ts";
import { SeenIds } from "./seen_ids.ts";
import { rememberSenderIds } from "./sender_ids.ts";
import { Workers } from "./shards/workers.ts";
import { type ConfiguredSource, SourceRunner } from "./source_runner.ts";
import { runTriage } from "./triage_runner.ts";

export interface RuntimeOptions {
  readonly log: Log;
  readonly store: Store;
  readonly clock?: Clock;
  readonly pool?: Pool;
  readonly tenant: string;
  /** The rule files that the configuration names, as they are on disk now. May throw ConfigError. */
  readonly rules: () => readonly ProgramFile[];
  /** Of a rule, the fields that no event is known to carry, under these mappings. */
  readonly unknownFields?: RuleDeskOptions["unknownFields"];
  /** Alerts a day that one rule may raise before the gate holds it back. */
  readonly rule_budget_per_day: number;
  /** Where rules that were brought in are kept. */
  readonly releases: Releases;
  readonly pipelines: readonly ProgramFile[];
  readonly detectors: { readonly [name: string]: unknown };
  readonly lateness_s: number;
  /** What is added to events; nothing without it. */
  readonly enrichment?: Pick<EnrichmentOptions, "settings" | "tables">;
  /** The user's pipelines of events, and the key of their pseudonyms; none without it. */
  readonly eventPipelines?: Pick<PipelineDeskOptions, "disk" | "pseudonymKey">;
  /** Values for `%name%` in rules with `|expand`. */
  readonly placeholders?: Program["placeholders"];
  readonly sources: readonly ConfiguredSource[];
  /** Names of sources whose events are of the past. */
  readonly historical?: ReadonlySet<string>;
  readonly sourceSpecs: ReadonlyMap<string, SourceSpec>;
  /** Where changes of the rules are recorded; its records are events like any others. None without it. */
  readonly audit?: AuditTrail;
  /** Who must be heard of, and when nobody need be; only those heard of before without it. */
  readonly quality?: QualityOptions;
  /** Ways out; none without it. */
  readonly sinks?: Pick<SinkRunnerOptions, "specs" | "hostname" | "version"> & { readonly configured: readonly ConfiguredSink[] };
  /** Events that retention leaves alone. */
  readonly holds?: () => Promise<readonly EventHold[]>;
  readonly retention: { readonly [C in EventClass]?: { readonly maxAge?: Micros; readonly maxBytes?: number } };
  /** Without it roll-ups of series are kept for ever. */
  readonly seriesRetention?: SeriesRetention;
  /** How rules are proved able to fire: by what key, how often each, and whether without being asked. */
  readonly canaries: { readonly key: CanaryKey; readonly every: Micros; readonly enabled: boolean };
  /** Where this is one process of several; without it, it does everything. */
  readonly cluster?: ClusterPart;
  /** Which of several chains of audit records this process keeps. */
  readonly chain?: string;
  /** What the one who leads does besides, until told to stop. */
  readonly leads?: (signal: AbortSignal) => Promise<void>;
  /** Bytes of the log on disk. */
  readonly logBytes: () => Promise<number>;
  /** Replays the bundled scenario through the given intakes. */
  readonly demo: (open: (stream: string) => Intake, signal: AbortSignal) => Promise<void>;
}

export interface SourceState extends Omit<SourceLine, "balance"> {
  readonly type: string;
  readonly state: "running" | "idle" | "failed" | "stopped";
  readonly lastReceived?: Micros;
  /** Events a second, mean over 10 s. */
  readonly rate: number;
  readonly warnings: readonly { readonly at: Micros; readonly code: string; readonly message: string; readonly count?: number }[];
}

export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** What listeners are told. */
export type Notice = { readonly kind: "alert"; readonly alert: Alert } | { readonly kind: "events"; readonly events: readonly Event[] };

const tickEvery_ms = 1_000;
const upkeepEvery_ms = 30_000;
/** Alerts are late by this much before `ready` says so: analysis has stopped or cannot keep up. */
const maxLag: Micros = 60_000_000;
/** Events are decoded again for sinks only while detection is less than this behind. */
const sinksYield: Micros = 2_000_000;
/** How far detection is in a cluster is known from checkpoints: at most so late. */
const toldWithin: Micros = 8_000_000;
/** A source that has sent nothing for this long is shown as idle. */
const idleAfter: Micros = 60_000_000;
const demoSource = "demo";
/** Of a cluster: alerts that another process made are seen so soon by who looks on here. */
const alertsEvery_ms = 500;
const alertsAtOnce = 500;
/** How long a process waits for one with the role serve to put rules in force. */
const rulesWithin_ms = 300_000;
const [bringTries, bringEvery_ms] = [300, 1_000];

export class Runtime {
  readonly clock: Clock;
  readonly intakes: Intakes;
  readonly engine: Detection;
  readonly sources: SourceRunner;
  readonly #sinks: SinkRunner | undefined;
  readonly #options: RuntimeOptions;
  readonly #control: Control;
  readonly #pool: Pool;
  readonly #rates: Rates;
  readonly #roles: Roles;
  #desk!: RuleDesk;
  #enrichment: Enrichment | undefined;
  #pipelines!: PipelineDesk;
  #prover!: Prover;
  /** Of a cluster: what one process sees of canaries that another sent. */
  readonly #canaries: CanaryNews | undefined;
  readonly #quality: QualityKeeper;
  readonly #stop = new AbortController();
  readonly #listeners = new Map<(n: Notice) => void, boolean>();
  readonly #problems = new Map<string, string>();
  /** For whatever must not end because state is away. */
  readonly #checkpoints: CheckpointStore;
  #tasks: Promise<unknown>[] = [];
  #demo: AbortController | undefined;
  #started = 0;
  #engineRunning = false;

  private constructor(options: RuntimeOptions, control: Control, clock: Clock, intakes: Intakes, pool: Pool, rates: Rates) {
    this.#options = options;
    this.#control = control;
    this.clock = clock;
    this.intakes = intakes;
    this.#pool = pool;
    this.#rates = rates;
    this.#checkpoints = patient(options.store.checkpoints, {
      clock,
      signal: this.#stop.signal,
      onProblem: (code, message) => this.#problem(code, message),
    });
    this.#canaries = options.cluster && new CanaryNews(options.cluster.cluster.notices);
    this.#roles = new Roles(options.cluster, clock, (code, message) => this.#problem(code, message));
    this.engine = options.cluster ? this.#workers(options.cluster) : new Engine({ ...this.#engineOptions(), series: options.store.series });
    this.sources = new SourceRunner(options.sourceSpecs, intakes, options.log, clock);
    this.#quality = new QualityKeeper({
      inventory: [],
      inventorySilence: 0,
      maintenance: [],
      ...options.quality,
      log: options.log,
      settings: options.store.settings,
      tenant: options.tenant,
    });
    this.#sinks =
      options.sinks &&
      new SinkRunner({
        ...options.sinks,
        log: options.log,
        alerts: options.store.alerts,
        checkpoints: this.#checkpoints,
        clock,
        pool,
        tenant: options.tenant,
        canaryKey: options.canaries.key,
        program: (hash) => (hash === undefined ? undefined : control.program(hash)) ?? control.current,
        ...(options.cluster && { partitions: options.cluster.partitions }),
        durable: (partition) => this.engine.durableOf(partition),
        busy: async () => (await this.lag()) > sinksYield + (options.cluster ? toldWithin : 0),
        onProblem: (code, message) => this.#problem(code, message),
      });
  }

  #engineOptions(): EngineOptions {
    const { log, store, canaries } = this.#options;
    return {
      log,
      events: store.events,
      checkpoints: this.#checkpoints,
      pool: this.#pool,
      clock: this.clock,
      program: (hash) => this.#control.program(hash),
      wantSample: () => [...this.#listeners.values()].some((wants) => wants),
      onEvents: (newest, count) => {
        this.#rates.add("", count);
        if (newest.length > 0) this.#tell({ kind: "events", events: newest });
      },
      onAnalysis: (analysis, findings) => {
        this.intakes.headroom?.analysed(analysis.last);
        const news = this.#canaries ?? this.#prover;
        if (analysis.canary) news.analysed(analysis.canary);
        // what several processes come to is counted by the one who leads
        else if (this.#options.cluster) this.#desk.add({ rules: {}, days: [], costs: analysis.costs }, []);
        else this.#desk.add(analysis, findings);
        this.#quality.add(analysis);
      },
      canaryKey: canaries.key,
      onForged: (offset) => this.#prover.forged(offset),
      onProblem: (code, message) => this.#problem(code, message),
    };
  }

  /** Samples are judged in a cluster too; roll-ups of series are kept where one process does everything. */
  #workers({ cluster, partitions }: ClusterPart): Workers {
    const { log, store } = this.#options;
    return new Workers({
      cluster,
      member: () => this.#roles.member(),
      works: this.#roles.has("analyse"),
      log,
      partitions,
      control: this.#control,
      checkpoints: this.#checkpoints,
      events: store.events,
      clock: this.clock,
      engine: () => this.#engineOptions(),
      onProblem: (code, message) => this.#problem(code, message),
    });
  }

  static async open(options: RuntimeOptions): Promise<Runtime> {
    const clock = options.clock ?? systemClock;
    const control = await Control.open(options.log, bringing(options, clock));
    const seen = new SeenIds(clock);
    const { cluster } = options;
    const known = rememberSenderIds(options.log, seen, clock, cluster?.partitions);
    // whoever needs it waits for it and hears of a failure; that nobody does yet must not end the process
    known.catch(() => {});
    const counts = await options.log.counts();
    const rates = new Rates(clock);
    const knownFormats = await formats();
    const intakes = new Intakes({
      log: options.log,
      clock,
      formats: knownFormats,
      program: () => control.current?.hash ?? "",
      tenant: options.tenant,
      counts,
      seen,
      known,
      // only who analyses too can tell how far ahead of it he is
      ...(cluster ? { partitions: cluster.partitions, firstSeq: firstSeqOf(cluster.name) } : { headroom: new Headroom() }),
      onAccepted: (source, n) => rates.add(source, n),
      ...(options.historical && { historical: options.historical }),
    });
    const runtime = new Runtime(options, control, clock, intakes, options.pool ?? threadPool(), rates);
    await runtime.#roles.tryToLead();
    if (!runtime.#roles.leads) await control.ready(AbortSignal.timeout(rulesWithin_ms));
    if (!runtime.#roles.leads && control.current === undefined)
      throw new UnavailableError("cluster_unavailable", "no process with the role serve has put rules in force yet; start one");
    await joinInstallation({
      log: {
        installation: control.installation,
        claim: (installation) => control.record({ kind: "installation", version: 1, installation }),
        end: async () => (await options.log.bounds("raw", 0)).end,
      },
      settings: options.store.settings,
      analysed: async () => (await options.store.checkpoints.load(engineConsumer(0), 0)).offset,
      tenant: options.tenant,
      clock,
      leads: runtime.#roles.leads,
      several: cluster !== undefined,
    });
    runtime.#enrichment = options.enrichment && (await runtime.#openEnrichment(options.enrichment));
    runtime.#pipelines = new PipelineDesk({
      ...(options.eventPipelines ?? { disk: () => [], pseudonymKey: undefined }),
      control,
      clock,
      formats: knownFormats,
      tenant: options.tenant,
      events: options.store.events,
      catalogue: () => runtime.#desk.catalogue,
      ledger: () => runtime.ledger(),
      adjust: (parts, who, subject) => runtime.#desk.adjust(parts, "pipelines", who, subject),
    });
    runtime.#desk = await RuleDesk.open({
      log: options.log,
      tenant: options.tenant,
      control,
      clock,
      events: options.store.events,
      settings: options.store.settings,
      disk: options.rules,
      releases: options.releases,
      beside: {
        pipelines: options.pipelines,
        detectors: options.detectors,
        lateness_s: options.lateness_s,
        ...(options.placeholders === undefined ? {} : { placeholders: options.placeholders }),
        ...runtime.#enrichment?.parts,
        ...runtime.#pipelines.parts,
      },
      budget_per_day: options.rule_budget_per_day,
      ...(options.unknownFields === undefined ? {} : { unknownFields: options.unknownFields }),
      counts: () => runtime.engine.ledger,
      onMoves: (moves, who) => runtime.#recordMoves(moves, who),
      proved: (id, hash) => runtime.#prover.isProved(id, hash),
      led: () => runtime.#roles.led(),
      ...(cluster && { reached: () => runtime.engine.reached }),
    });
    runtime.#prover = new Prover({
      log: options.log,
      clock,
      settings: options.store.settings,
      intakes,
      formats: knownFormats,
      tenant: options.tenant,
      program: () => control.current,
      ...options.canaries,
    });
    await runtime.#prover.load();
    await runtime.#quality.load();
    await runtime.engine.load();
    return runtime;
  }

  #openEnrichment(options: Pick<EnrichmentOptions, "settings" | "tables">): Promise<Enrichment> {
    return Enrichment.open({
      ...options,
      control: this.#control,
      clock: this.clock,
      leads: this.#roles.leads,
      adjust: (parts, who, subject) => this.#desk.adjust(parts, "enrichment", who, subject),
      onProblem: (code, message) => this.#problem(code, message),
    });
  }

  /** Starts everything; sources last, so that nothing is taken in before it can be analysed. */
  start(): void {
    const { log } = this.#options;
    this.#started = this.clock.now();
    const { signal } = this.#stop;
    this.#engineRunning = true;
    this.#keep(
      "engine",
      this.engine.run(signal).finally(() => {
        this.#engineRunning = false;
      }),
    );
    const roles = this.#roles;
    this.#keep(
      "triage",
      roles.alone("triage", "triage", signal, (held) => this.#triage(held)),
    );
    this.#keep(
      "ticks",
      roles.alone("ingest", "ticks", signal, (held) => this.#tick(held)),
    );
    this.#keep(
      "lead",
      roles.lead(signal, (held) => this.#lead(held)),
    );
    const { audit: trail, cluster, chain } = this.#options;
    if (cluster) {
      this.#keep(
        "control",
        this.#control.follow(signal, () => {
          if (roles.leads) return;
          this.#desk.refresh();
          this.#enrichment?.refresh();
        }),
      );
      if (roles.has("serve")) this.#keep("alerts", this.#followAlerts(signal));
      if (roles.has("serve")) this.#keep("leader", this.#followLeader(signal));
    }
    if (trail) this.#keep("audit", feedAudit({ trail, log, intakes: this.intakes, clock: this.clock, ...(chain && { chain }) }, signal));
    if (roles.has("ingest")) for (const source of this.#options.sources) this.#read(source, signal);
  }

  /** A source that asks others for data is read by one process alone. */
  #read(source: ConfiguredSource, signal: AbortSignal): void {
    const asks = this.#options.cluster && this.#options.sourceSpecs.get(source.type)?.asks;
    if (asks) {
      const name = `source/${source.name}`;
      this.#keep(
        name,
        this.#roles.alone("ingest", name, signal, (held) => this.sources.start(source, held)),
      );
    } else this.sources.start(source, signal);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    if (cluster) await this.#takeOver().catch((e: Error) => this.#problem("upkeep_failed", e.message));
    for (const sink of this.#options.sinks?.configured ?? []) this.#sinks!.start(sink, signal);
    await Promise.all([this.#prover.run(signal), this.#upkeep(signal), this.#sinks?.watch(signal), this.#options.leads?.(signal)]);
    if (cluster) await this.#keepCounted();
  }

  /** Goes on with what the one that led before kept; tables are those of the files that are here. */
  async #takeOver(): Promise<void> {
    await this.#desk.reread();
    this.#enrichment?.refresh();
    await this.#enrichment?.reload({ by: "vedette", reason: "another process leads" });
  }

  #triage(signal: AbortSignal): Promise<void> {
    const { log, store } = this.#options;
    return runTriage(
      {
        log,
        alerts: store.alerts,
        clock: this.clock,
        retracted: (program, rule, raw) => this.#control.retracted(program, rule, raw),
        onAlerts: (alerts) => {
          // of several processes any may triage: who looks on is told by what is stored
          if (this.#options.cluster === undefined) for (const alert of alerts) this.#tell({ kind: "alert", alert });
        },
        onProblem: (code, message) => this.#problem(code, message),
        onCanary: (nonce, alert) => (this.#canaries ?? this.#prover).triaged(nonce, alert?.rule.id),
      },
      signal,
    );
  }

  /** What other processes see of the canaries of this one; what the one that leads has proved and counted. */
  async #followLeader(signal: AbortSignal): Promise<void> {
    const end = await this.#canaries!.follow(this.#prover);
    while (!signal.aborted) {
      await this.clock.sleep(upkeepEvery_ms, signal);
      // what cannot be read now is read the next time
      await this.#prover.load().catch(() => {});
      if (!this.#roles.leads) await this.#desk.reread().catch(() => {});
    }
    end();
  }

  /** What other processes made of findings is told here as what this one makes. */
  async #followAlerts(signal: AbortSignal): Promise<void> {
    const { alerts } = this.#options.store;
    let last: number | undefined;
    while (!signal.aborted) {
      try {
        last ??= await alerts.lastChange();
        for (const { serial, alert } of await alerts.changed(last, alertsAtOnce)) {
          last = serial;
          if (!alert.shadow && !alert.historical) this.#tell({ kind: "alert", alert });
        }
        this.#problem("alerts_not_followed", undefined);
      } catch (e) {
        this.#problem("alerts_not_followed", (e as Error).message);
      }
      await this.clock.sleep(alertsEvery_ms, signal);
    }
  }

  /** Stops taking in, lets what is accepted become durable, checkpoints, closes. */
  async stop(): Promise<void> {
    this.#demo?.abort();
    this.#stop.abort();
    this.intakes.headroom?.close();
    await Promise.all([this.sources.stopped(), this.#sinks?.stopped()]);
    await this.intakes.settled();
    await Promise.allSettled(this.#tasks);
    // where state is away the rest ends all the same
    if (this.#options.cluster === undefined) await this.#keepCounted();
    await this.#pool.close();
  }

  async #keepCounted(): Promise<void> {
    const kept = await Promise.allSettled([this.#desk.upkeep(Number.POSITIVE_INFINITY), this.#quality.save()]);
    for (const one of kept) if (one.status === "rejected") this.#problem("upkeep_failed", (one.reason as Error).message);
  }

  /** Resolves when everything accepted so far has been analysed and its outputs are durable. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    const through = await this.engine.waitsFor();
    while (!signal.aborted && !(await through())) await this.clock.sleep(20, signal);
    const findings = (await this.#options.log.bounds("findings", 0)).end;
    while (!signal.aborted && (await this.#options.store.alerts.offset()) < findings) await this.clock.sleep(20, signal);
  }

  /** Whether rules can fire. */
  get prover(): Prover {
    return this.#prover;
  }
  /** What is added to events; absent where nothing is. */
  get enrichment(): Enrichment | undefined {
    return this.#enrichment;
  }
  /** What people do with pipelines of events. */
  get pipelines(): PipelineDesk {
    return this.#pipelines;
  }
  /** What people do with the rules. */
  get desk(): RuleDesk {
    return this.#desk;
  }
  /** Reads the files that the configuration names again; what keeps them from being in force stands among the problems until they are. */
  async reloadRules(why: string): Promise<Awaited<ReturnType<RuleDesk["apply"]>>> {
    try {
      const applied = await this.#desk.apply({ kind: "reload" }, { by: "vedette", reason: why });
      this.#problem(
        "rules_not_reloaded",
        applied.blocked.length === 0 ? undefined : [...applied.blocked, ...applied.plan.refused].join("; "),
      );
      return applied;
    } catch (e) {
      this.#problem("rules_not_reloaded", (e as Error).message);
      throw e;
    }
  }
  /** As `reloadRules`, of the event pipelines. */
  async reloadPipelines(why: string): Promise<PipelinesApplied> {
    try {
      const applied = await this.#pipelines.reload({ by: "vedette", reason: why });
      this.#problem("pipelines_not_reloaded", applied.blocked.length === 0 ? undefined : applied.blocked.join("; "));
      return applied;
    } catch (e) {
      this.#problem("pipelines_not_reloaded", (e as Error).message);
      throw e;
    }
  }
  rules(): ReturnType<RuleDesk["lines"]> {
    return this.#desk.lines();
  }

  /** Intake of a source by name, for endpoints. */
  intake(options: SourceOptions): Intake {
    return this.intakes.open(options);
  }
  endpointContext(sourceOptions: (name: string) => SourceOptions = (source) => ({ source })): EndpointContext {
    return { intake: (name) => this.intake(sourceOptions(name)), clock: this.clock, warn: (code, message) => this.#problem(code, message) };
  }

  /** @param wantsEvents whether it wants samples of the newest events too */
  subscribe(listener: (n: Notice) => void, wantsEvents = false): () => void {
    this.#listeners.set(listener, wantsEvents);
    return () => this.#listeners.delete(listener);
  }

  async ledger(): Promise<readonly SourceLine[]> {
    const counts = await this.#options.log.counts();
    const accepted = new Map([...counts].flatMap(([name, n]) => (name.startsWith("in/") ? [[name.slice(3), n] as const] : [])));
    // Vedette's own records are accounted for by their chain; the ledger is of what others send
    const lines = this.engine.ledger.lines(accepted).filter(({ name }) => !name.startsWith(reservedPrefix));
    return withSeries(lines, await this.#options.store.series.sources(this.#options.tenant));
  }

  detectors(): readonly DetectorLine[] {
    return this.engine.detectors();
  }

  logBytes(): Promise<number> {
    return this.#options.logBytes();
  }

  /** The ledger with what each source is doing; senders over HTTP appear once they have sent something. */
  async sourceStates(): Promise<readonly SourceState[]> {
    const lines = new Map((await this.ledger()).map((l) => [l.name, l]));
    const status = new Map(this.intakes.status().map((s) => [s.name, s]));
    const now = this.clock.now();
    return [...new Set([...this.sources.running.keys(), ...lines.keys()])].sort().map((name) => {
      const running = this.sources.running.get(name);
      const lastReceived = status.get(name)?.lastReceived;
      const quiet = lastReceived === undefined || now - lastReceived > idleAfter;
      return {
        type: running?.type ?? (name === demoSource ? "demo" : "http"),
        state: running && running.state !== "running" ? running.state : quiet ? "idle" : "running",
        ...(lines.get(name) ?? { name, in: 0, split: 0, stored: 0, dead: 0, dropped: {}, pending: 0 }),
        ...(lastReceived === undefined ? {} : { lastReceived }),
        rate: this.#rates.of(name),
        warnings: running?.warnings ?? [],
      };
    });
  }

  /** How well data comes in. */
  quality(): QualityReport {
    return this.#quality.report();
  }

  async sinkStates(): Promise<readonly SinkState[]> {
    return (await this.#sinks?.states()) ?? [];
  }

  /** What events are judged by now. */
  get program(): Control["current"] {
    return this.#control.current;
  }

  /** Events stored a second. */
  rate(): number {
    return this.#rates.of("");
  }

  /** Newest first; `before` is the raw cursor of the page before. */
  async deadLetters(limit: number, before?: number): Promise<{ readonly letters: readonly DeadLetter[]; readonly next?: number }> {
    const { start, end } = await this.#options.log.bounds("dead", 0);
    const letters: DeadLetter[] = [];
    let at = Math.min(before ?? end, end) - 1;
    for (; at >= start && letters.length < limit; at--) {
      const [entry] = await this.#options.log.read("dead", 0, at, 1);
      if (entry && "bytes" in entry)
        letters.push(...(JSON.parse(Buffer.from(entry.bytes).toString()) as { letters: DeadLetter[] }).letters.reverse());
    }
    return at >= start ? { letters, next: at + 1 } : { letters };
  }

  /** How far behind the newest accepted record analysis is, by receive time. */
  async lag(): Promise<Micros> {
    const newest = Math.max(0, ...this.intakes.status().map((s) => s.lastReceived ?? 0));
    // before anything has been analysed since this start, what waits has waited since the start at most
    return newest === 0 ? 0 : Math.max(0, newest - (this.engine.reached || this.#started));
  }

  async ready(): Promise<{ readonly ready: boolean; readonly problems: readonly Problem[] }> {
    const problems = [...this.#problems].map(([code, message]) => ({ code, message }));
    if (!this.#engineRunning) problems.push({ code: "engine_stopped", message: "detection is not running" });
    const lag = await this.lag();
    if (lag > maxLag) problems.push({ code: "behind", message: `detection is ${Math.round(lag / 1e6)} s behind what is accepted` });
    const blocking = new Set([
      "engine_stopped",
      "engine_failed",
      "triage_failed",
      "behind",
      "output_blocked",
      "state_blocked",
      "triage_blocked",
      "log_full",
      // where nobody knows who works on what, nobody does
      ...(this.#roles.has("analyse") || this.#roles.has("triage") ? ["cluster_unavailable"] : []),
    ]);
    return { ready: this.#started > 0 && !problems.some((p) => blocking.has(p.code)), problems };
  }

  /** Says to the other processes of the installation where this one answers. */
  answersAt(address: string): void {
    this.#roles.address = address;
  }

  get started(): Micros {
    return this.#started;
  }
  get demoRunning(): boolean {
    return this.#demo !== undefined;
  }

  /** Replays the bundled scenario, marked as demo, through the real path. */
  startDemo(): Promise<void> {
    if (this.#demo) return Promise.resolve();
    const demo = new AbortController();
    this.#demo = demo;
    const open = (stream: string) => {
      const intake = this.intake({ source: demoSource, demo: true });
      return { accept: (records: Parameters<Intake["accept"]>[0]) => intake.accept(records, { stream }) };
    };
    const done = this.#options.demo(open, demo.signal).finally(() => {
      this.#demo = undefined;
    });
    this.#keep("demo", done);
    return done;
  }

  /** Removes events and alerts marked as demo. */
  async clearDemo(): Promise<{ readonly events: number; readonly alerts: number }> {
    this.#demo?.abort();
    await this.caughtUp(this.#stop.signal);
    const { store } = this.#options;
    return { events: await store.events.clearDemo(), alerts: await store.alerts.clearDemo() };
  }

  async #tick(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.sleep(tickEvery_ms, signal);
      try {
        const tick = encodeTick(this.clock.now());
        const { partitions = 1 } = this.#options.cluster ?? {};
        await Promise.all(Array.from({ length: partitions }, (_, n) => this.#options.log.append("raw", n, tick)));
        this.#problem("log_full", undefined);
      } catch (e) {
        if ((e as { code?: string }).code === "log_closed") return;
        this.#problem("log_full", (e as Error).message);
      }
    }
  }

  async #upkeep(signal: AbortSignal): Promise<void> {
    const { events, series } = this.#options.store;
    while (!signal.aborted) {
      await this.clock.sleep(upkeepEvery_ms, signal);
      if (signal.aborted) return;
      try {
        await events.seal();
        await events.retain(this.#options.retention, await this.#options.holds?.());
        await series.seal();
        if (this.#options.seriesRetention) await series.retain(this.#options.seriesRetention);
        await this.#desk.upkeep(upkeepEvery_ms);
        await this.#quality.save();
        this.#problem("upkeep_failed", undefined);
      } catch (e) {
        this.#problem("upkeep_failed", (e as Error).message);
      }
    }
  }

  #recordMoves(moves: readonly RuleMove[], { by, reason }: Requester): void {
    const { audit: trail } = this.#options;
    if (trail === undefined) return;
    const entries = moves.map(({ id, title, action }) =>
      trail.record({
        action,
        outcome: "success",
        by: { user: by },
        fields: { "rule.id": id, "rule.name": title, "vedette.audit.reason": reason },
      }),
    );
    Promise.all(entries).then(
      () => this.#problem("audit_failed", undefined),
      (e: Error) => this.#problem("audit_failed", e.message),
    );
  }

  #keep(name: string, task: Promise<unknown>): void {
    this.#tasks.push(task.catch((e: Error) => this.#problem(`${name}_failed`, e.message)));
  }
  #problem(code: string, message: string | undefined): void {
    if (message === undefined) this.#problems.delete(code);
    else this.#problems.set(code, message.slice(0, 500));
  }
  #tell(notice: Notice): void {
    for (const [listener, wantsEvents] of this.#listeners) if (notice.kind !== "events" || wantsEvents) listener(notice);
  }
}

/** What programs name and do not carry is here before they are in force; where state is away, after some minutes without it. */
function bringing({ enrichment }: RuntimeOptions, clock: Clock): Parameters<typeof Control.open>[1] {
  return async (tables = {}) => {
    for (let left = bringTries; left > 0; left--) {
      try {
        return await enrichment?.tables.fetch(Object.values(tables).map(({ hash }) => hash));
      } catch {
        await clock.sleep(bringEvery_ms);
      }
    }
  };
}

/** Each process numbers the records it takes in from somewhere else. */
const firstSeqOf = (name: string): number => (crc32(name) % 0x10_0000) * 2 ** 32;
