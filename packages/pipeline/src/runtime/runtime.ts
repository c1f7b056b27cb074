/** One running Vedette: opens what it stands on, wires the parts, and answers for their state. Knows no HTTP and no command line. */

import { crc32 } from "node:zlib";
import { type Clock, type EndpointContext, type Intake, systemClock, UnavailableError } from "@vedette/kit";
import type { Micros, QualityReport } from "@vedette/model";
import { formats } from "@vedette/normalise";
import type { CheckpointStore } from "@vedette/store";
import { reservedPrefix } from "../canary/mark.ts";
import { CanaryNews } from "../canary/news.ts";
import { Prover } from "../canary/prover.ts";
import { Control } from "../control.ts";
import { type DeadLetterPage, readDeadLetters } from "../dead_letters.ts";
import type { Detection } from "../detection.ts";
import { SinkRunner, type SinkState } from "../egress/runner.ts";
import { Engine, type EngineOptions, engineConsumer } from "../engine.ts";
import { Enrichment, type EnrichmentOptions } from "../enrichment/enrichment.ts";
import { PipelineDesk, type PipelinesApplied } from "../event_pipelines/desk.ts";
import { feedAudit } from "../intake/audit_feed.ts";
import { Headroom } from "../intake/headroom.ts";
import { Intakes, type SeenElsewhere, type SourceOptions } from "../intake/intakes.ts";
import { Rates } from "../intake/rates.ts";
import { SeenIds } from "../intake/seen_ids.ts";
import { rememberSenderIds } from "../intake/sender_ids.ts";
import { type ConfiguredSource, SourceRunner } from "../intake/source_runner.ts";
import { demoSource, type SourceState, sourceStates } from "../intake/source_states.ts";
import type { DetectorLine } from "../keyed.ts";
import { type SourceLine, withSeries } from "../ledger.ts";
import { type Pool, threadPool } from "../pool.ts";
import { QualityKeeper } from "../quality/keeper.ts";
import { RuleDesk } from "../rules/desk.ts";
import { recordMoves } from "../rules/recorded.ts";
import { Workers } from "../shards/workers.ts";
import { runTriage } from "../triage_runner.ts";
import { DemoReplay } from "./demo_replay.ts";
import { joinInstallation } from "./installation.ts";
import { followAlerts, Listeners, type Notice } from "./listeners.ts";
import type { RuntimeOptions } from "./options.ts";
import { patient } from "./patient.ts";
import { blocks, type Problem, Problems } from "./problems.ts";
import { type ClusterPart, Roles } from "./roles.ts";
import { appendTicks, keepInOrder, upkeepEvery_ms } from "./upkeep.ts";

/** Alerts are late by this much before `ready` says so: analysis has stopped or cannot keep up. */
const maxLag: Micros = 60_000_000;
/** Events are decoded again for sinks only while detection is less than this behind. */
const sinksYield: Micros = 2_000_000;
/** How far detection is in a cluster is known from checkpoints: at most so late. */
const toldWithin: Micros = 8_000_000;
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
  readonly #listeners = new Listeners();
  readonly #problems = new Problems();
  readonly #demo: DemoReplay;
  /** For whatever must not end because state is away. */
  readonly #checkpoints: CheckpointStore;
  #tasks: Promise<unknown>[] = [];
  #started = 0;
  #engineRunning = false;

  private constructor(options: RuntimeOptions, control: Control, clock: Clock, intakes: Intakes, pool: Pool, rates: Rates) {
    this.#options = options;
    this.#control = control;
    this.clock = clock;
    this.intakes = intakes;
    this.#pool = pool;
    this.#rates = rates;
    this.#demo = new DemoReplay(options.demo);
    this.#checkpoints = patient(options.store.checkpoints, {
      clock,
      signal: this.#stop.signal,
      onProblem: this.#problems.tell,
    });
    this.#canaries = options.cluster && new CanaryNews(options.cluster.cluster.notices);
    this.#roles = new Roles(options.cluster, clock, this.#problems.tell);
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
        onProblem: this.#problems.tell,
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
      program: async (hash) => (await this.#control.find(hash))?.program,
      wantSample: () => this.#listeners.wantEvents,
      onEvents: (newest, count) => {
        this.#rates.add("", count);
        if (newest.length > 0) this.#listeners.tell({ kind: "events", events: newest });
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
      onProblem: this.#problems.tell,
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
      onProblem: this.#problems.tell,
    });
  }

  static async open(options: RuntimeOptions): Promise<Runtime> {
    const clock = options.clock ?? systemClock;
    const control = await Control.open(options.log, bringing(options, clock));
    const { cluster } = options;
    const rates = new Rates(clock);
    const knownFormats = await formats();
    const intakes = await openIntakes(options, control, clock, rates);
    const runtime = new Runtime(options, control, clock, intakes, options.pool ?? threadPool(), rates);
    await runtime.#roles.tryToLead();
    if (!runtime.#roles.leads) await rulesInForce(control);
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
    runtime.#openPipelines(knownFormats);
    runtime.#desk = await runtime.#openDesk();
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

  #openPipelines(known: Awaited<ReturnType<typeof formats>>): void {
    const options = this.#options;
    this.#pipelines = new PipelineDesk({
      ...(options.eventPipelines ?? { disk: () => [], pseudonymKey: undefined }),
      control: this.#control,
      clock: this.clock,
      formats: known,
      tenant: options.tenant,
      events: options.store.events,
      catalogue: () => this.#desk.catalogue,
      ledger: () => this.ledger(),
      adjust: (parts, who, subject) => this.#desk.adjust(parts, "pipelines", who, subject),
    });
  }

  #openDesk(): Promise<RuleDesk> {
    const options = this.#options;
    const { cluster } = options;
    return RuleDesk.open({
      log: options.log,
      tenant: options.tenant,
      control: this.#control,
      clock: this.clock,
      events: options.store.events,
      settings: options.store.settings,
      disk: options.rules,
      releases: options.releases,
      beside: {
        pipelines: options.pipelines,
        detectors: options.detectors,
        lateness_s: options.lateness_s,
        ...(options.placeholders === undefined ? {} : { placeholders: options.placeholders }),
        ...this.#enrichment?.parts,
        ...this.#pipelines.parts,
      },
      budget_per_day: options.rule_budget_per_day,
      ...(options.unknownFields === undefined ? {} : { unknownFields: options.unknownFields }),
      counts: () => this.engine.ledger,
      onMoves: (moves, who) => options.audit && recordMoves(options.audit, moves, who, this.#problems.tell),
      proved: (id, hash) => this.#prover.isProved(id, hash),
      led: () => this.#roles.led(),
      ...(cluster && { reached: () => this.engine.reached }),
    });
  }

  #openEnrichment(options: Pick<EnrichmentOptions, "settings" | "tables">): Promise<Enrichment> {
    return Enrichment.open({
      ...options,
      control: this.#control,
      clock: this.clock,
      leads: this.#roles.leads,
      adjust: (parts, who, subject) => this.#desk.adjust(parts, "enrichment", who, subject),
      onProblem: this.#problems.tell,
    });
  }

  /** Starts everything; sources last, so that nothing is taken in before it can be analysed. */
  start(): void {
    const { log, store } = this.#options;
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
      roles.alone("ingest", "ticks", signal, (held) =>
        appendTicks(log, this.#options.cluster?.partitions ?? 1, this.clock, this.#problems.tell, held),
      ),
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
      if (roles.has("serve")) this.#keep("alerts", followAlerts(this.#listeners, store.alerts, this.clock, this.#problems.tell, signal));
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
    if (cluster) await this.#takeOver().catch((e: Error) => this.#problems.tell("upkeep_failed", e.message));
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
          if (this.#options.cluster === undefined) for (const alert of alerts) this.#listeners.tell({ kind: "alert", alert });
        },
        onProblem: this.#problems.tell,
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

  /** Stops taking in, lets what is accepted become durable, checkpoints, closes. */
  async stop(): Promise<void> {
    this.#demo.stop();
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
    for (const one of kept) if (one.status === "rejected") this.#problems.tell("upkeep_failed", (one.reason as Error).message);
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
      this.#problems.tell(
        "rules_not_reloaded",
        applied.blocked.length === 0 ? undefined : [...applied.blocked, ...applied.plan.refused].join("; "),
      );
      return applied;
    } catch (e) {
      this.#problems.tell("rules_not_reloaded", (e as Error).message);
      throw e;
    }
  }
  /** As `reloadRules`, of the event pipelines. */
  async reloadPipelines(why: string): Promise<PipelinesApplied> {
    try {
      const applied = await this.#pipelines.reload({ by: "vedette", reason: why });
      this.#problems.tell("pipelines_not_reloaded", applied.blocked.length === 0 ? undefined : applied.blocked.join("; "));
      return applied;
    } catch (e) {
      this.#problems.tell("pipelines_not_reloaded", (e as Error).message);
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
    return { intake: (name) => this.intake(sourceOptions(name)), clock: this.clock, warn: this.#problems.tell };
  }

  /** @param wantsEvents whether it wants samples of the newest events too */
  subscribe(listener: (n: Notice) => void, wantsEvents = false): () => void {
    return this.#listeners.add(listener, wantsEvents);
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
    return sourceStates(await this.ledger(), this.sources, this.intakes, this.#rates, this.clock.now());
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
  deadLetters(limit: number, before?: number): Promise<DeadLetterPage> {
    return readDeadLetters(this.#options.log, limit, before);
  }

  /** How far behind the newest accepted record analysis is, by receive time. */
  async lag(): Promise<Micros> {
    const newest = Math.max(0, ...this.intakes.status().map((s) => s.lastReceived ?? 0));
    // before anything has been analysed since this start, what waits has waited since the start at most
    return newest === 0 ? 0 : Math.max(0, newest - (this.engine.reached || this.#started));
  }

  async ready(): Promise<{ readonly ready: boolean; readonly problems: readonly Problem[] }> {
    const problems = this.#problems.list();
    if (!this.#engineRunning) problems.push({ code: "engine_stopped", message: "detection is not running" });
    const lag = await this.lag();
    if (lag > maxLag) problems.push({ code: "behind", message: `detection is ${Math.round(lag / 1e6)} s behind what is accepted` });
    const shares = this.#options.cluster !== undefined && (this.#roles.has("analyse") || this.#roles.has("triage"));
    return { ready: this.#started > 0 && !blocks(problems, shares), problems };
  }

  /** Says to the other processes of the installation where this one answers. */
  answersAt(address: string): void {
    this.#roles.address = address;
  }

  get started(): Micros {
    return this.#started;
  }
  get demoRunning(): boolean {
    return this.#demo.running;
  }

  /** Replays the bundled scenario, marked as demo, through the real path. */
  startDemo(): Promise<void> {
    if (this.#demo.running) return Promise.resolve();
    const done = this.#demo.start(this.intake({ source: demoSource, demo: true }));
    this.#keep("demo", done);
    return done;
  }

  /** Removes events and alerts marked as demo. */
  async clearDemo(): Promise<{ readonly events: number; readonly alerts: number }> {
    this.#demo.stop();
    await this.caughtUp(this.#stop.signal);
    const { store } = this.#options;
    return { events: await store.events.clearDemo(), alerts: await store.alerts.clearDemo() };
  }

  #upkeep(signal: AbortSignal): Promise<void> {
    const also = async () => {
      await this.#desk.upkeep(upkeepEvery_ms);
      await this.#quality.save();
    };
    return keepInOrder({ ...this.#options, also }, this.clock, this.#problems.tell, signal);
  }

  #keep(name: string, task: Promise<unknown>): void {
    this.#tasks.push(task.catch((e: Error) => this.#problems.tell(`${name}_failed`, e.message)));
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

/** Repeats of a document are known by whichever process took it in. */
function seenBy({ cluster: { recent } }: ClusterPart): SeenElsewhere {
  const kind = "sender_ids";
  return { known: (ids) => recent.known(kind, ids), add: (ids) => recent.add(kind, ids) };
}

/** Each process numbers the records it takes in from somewhere else. */
const firstSeqOf = (name: string): number => (crc32(name) % 0x10_0000) * 2 ** 32;

/** What comes in goes through these, numbered on from what the log holds. */
async function openIntakes(options: RuntimeOptions, control: Control, clock: Clock, rates: Rates): Promise<Intakes> {
  const seen = new SeenIds(clock);
  const { cluster } = options;
  const known = rememberSenderIds(options.log, seen, clock, cluster?.partitions);
  // whoever needs it waits for it and hears of a failure; that nobody does yet must not end the process
  known.catch(() => {});
  return new Intakes({
    log: options.log,
    clock,
    formats: await formats(),
    program: () => control.current?.hash ?? "",
    tenant: options.tenant,
    counts: await options.log.counts(),
    seen,
    known,
    // only who analyses too can tell how far ahead of it he is
    ...(cluster
      ? { partitions: cluster.partitions, firstSeq: firstSeqOf(cluster.name), elsewhere: seenBy(cluster) }
      : { headroom: new Headroom() }),
    onAccepted: (source, n) => rates.add(source, n),
    ...(options.historical && { historical: options.historical }),
  });
}

/** @throws UnavailableError where nobody puts any in force */
async function rulesInForce(control: Control): Promise<void> {
  await control.ready(AbortSignal.timeout(rulesWithin_ms));
  if (control.current === undefined)
    throw new UnavailableError("cluster_unavailable", "no process with the role serve has put rules in force yet; start one");
}
