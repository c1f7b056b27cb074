/** The parts of one running Vedette, opened and wired to one another: who analyses, who delivers, what people work on. Runs nothing. */
import type { LedgerLine, Micros } from "@vedette/model";
import { reservedPrefix } from "../canary/mark.ts";
import { Prover } from "../canary/prover.ts";
import type { Detection } from "../detection.ts";
import { SinkRunner } from "../egress/runner.ts";
import { Engine, type EngineOptions } from "../engine.ts";
import { Enrichment } from "../enrichment/enrichment.ts";
import { PipelineDesk } from "../event_pipelines/desk.ts";
import { SourceRunner } from "../intake/source_runner.ts";
import { withSeries } from "../ledger.ts";
import { QualityKeeper } from "../quality/keeper.ts";
import { RuleDesk } from "../rules/desk.ts";
import { recordMoves } from "../rules/recorded.ts";
import { Workers } from "../shards/workers.ts";
import { join, openContext, type RuntimeContext } from "./context.ts";
import type { RuntimeOptions } from "./options.ts";
import { Progress, staleWithin } from "./progress.ts";

/** What people work on. */
interface Desks {
  readonly rules: RuleDesk;
  readonly pipelines: PipelineDesk;
  /** What is added to events; absent where nothing is. */
  readonly enrichment: Enrichment | undefined;
  /** Whether rules can fire. */
  readonly prover: Prover;
}

export interface Parts extends RuntimeContext, Desks {
  readonly engine: Detection;
  readonly sources: SourceRunner;
  readonly sinks: SinkRunner | undefined;
  readonly quality: QualityKeeper;
  readonly progress: Progress;
}

/** Events are decoded again for sinks only while detection is less than this behind. */
const sinksYield: Micros = 2_000_000;

export async function openParts(options: RuntimeOptions): Promise<Parts> {
  const context = await openContext(options);
  const { log, store, tenant } = options;
  const quality = new QualityKeeper({
    inventory: [],
    inventorySilence: 0,
    maintenance: [],
    ...options.quality,
    log,
    settings: store.settings,
    tenant,
  });
  const engine = detectionOf(context, quality, () => desks);
  const progress = new Progress({ ...context, engine, log, alerts: store.alerts });
  const sources = new SourceRunner(options.sourceSpecs, context.intakes, log, context.clock);
  const sinks = sinksOf(context, engine, progress);
  await join(context);
  const desks = await openDesks(context, engine);
  await desks.prover.load();
  await quality.load();
  await engine.load();
  return { ...context, ...desks, engine, sources, sinks, quality, progress };
}

/** An engine in this process, or the workers of a cluster. Nothing is analysed before the desks are open. */
function detectionOf(context: RuntimeContext, quality: QualityKeeper, desks: () => Desks): Detection {
  const { options, clock, control, checkpoints, roles, problems } = context;
  const { log, store, cluster: part } = options;
  const shared = engineOptions(context, quality, desks);
  if (part === undefined) return new Engine({ ...shared, series: store.series });
  // samples are judged in a cluster too; roll-ups of series are kept where one process does everything
  return new Workers({
    cluster: part.cluster,
    member: () => roles.member(),
    works: roles.has("analyse"),
    log,
    partitions: part.partitions,
    control,
    checkpoints,
    events: store.events,
    clock,
    engine: () => shared,
    onProblem: problems.report,
  });
}

function engineOptions(context: RuntimeContext, quality: QualityKeeper, desks: () => Desks): EngineOptions {
  const { options, clock, control, checkpoints, pool, intakes, rates, listeners, canaries, problems } = context;
  return {
    log: options.log,
    events: options.store.events,
    checkpoints,
    pool,
    clock,
    program: async (hash) => (await control.find(hash))?.program,
    wantSample: () => listeners.wantEvents,
    onEvents: (newest, count) => {
      rates.add("", count);
      if (newest.length > 0) listeners.notify({ kind: "events", events: newest });
    },
    onAnalysis: (analysis, findings) => {
      const { rules, prover } = desks();
      intakes.headroom?.analysed(analysis.last);
      if (analysis.canary) (canaries ?? prover).analysed(analysis.canary);
      // what several processes come to is counted by the one who leads
      else if (options.cluster) rules.add({ rules: {}, days: [], costs: analysis.costs }, []);
      else rules.add(analysis, findings);
      quality.add(analysis);
    },
    canaryKey: options.canaries.key,
    onForged: (offset) => desks().prover.forged(offset),
    onProblem: problems.report,
  };
}

function sinksOf(context: RuntimeContext, engine: Detection, progress: Progress): SinkRunner | undefined {
  const { options, clock, control, checkpoints, pool, problems } = context;
  const { sinks, log, store, tenant, canaries, cluster } = options;
  if (sinks === undefined) return undefined;
  return new SinkRunner({
    ...sinks,
    log,
    alerts: store.alerts,
    checkpoints,
    clock,
    pool,
    tenant,
    canaryKey: canaries.key,
    program: (hash) => (hash === undefined ? undefined : control.program(hash)) ?? control.current,
    ...(cluster && { partitions: cluster.partitions }),
    durable: (partition) => engine.durableOf(partition),
    busy: async () => progress.lag() > sinksYield + (cluster ? staleWithin : 0),
    onProblem: problems.report,
  });
}
async function openDesks(context: RuntimeContext, engine: Detection): Promise<Desks> {
  const { options, clock, control, formats, intakes, roles, problems } = context;
  const { log, store, tenant, canaries } = options;
  const enrichment =
    options.enrichment &&
    (await Enrichment.open({
      ...options.enrichment,
      control,
      clock,
      leads: roles.leads,
      adjust: (parts, who, subject) => rules.adjust(parts, "enrichment", who, subject),
      onProblem: problems.report,
    }));
  const pipelines = new PipelineDesk({
    ...(options.eventPipelines ?? { disk: () => [], pseudonymKey: undefined }),
    control,
    clock,
    formats,
    tenant,
    events: store.events,
    catalogue: () => rules.catalogue,
    ledger: () => ledgerOf(options, engine),
    adjust: (parts, who, subject) => rules.adjust(parts, "pipelines", who, subject),
  });
  const rules: RuleDesk = await RuleDesk.open({
    ...ruleOptions(context, engine),
    beside: {
      pipelines: options.pipelines,
      detectors: options.detectors,
      lateness_s: options.lateness_s,
      ...(options.placeholders === undefined ? {} : { placeholders: options.placeholders }),
      ...enrichment?.parts,
      ...pipelines.parts,
    },
    proved: (id, hash) => prover.isProved(id, hash),
  });
  const prover: Prover = new Prover({
    log,
    clock,
    settings: store.settings,
    intakes,
    formats,
    tenant,
    program: () => control.current,
    ...canaries,
  });
  return { rules, pipelines, enrichment, prover };
}

/** What the desk of the rules has of others, but for what rules are judged beside and proved by. */
function ruleOptions({ options, clock, control, roles, problems }: RuntimeContext, engine: Detection) {
  const { log, store, tenant, releases, unknownFields, audit, cluster } = options;
  return {
    log,
    tenant,
    control,
    clock,
    events: store.events,
    settings: store.settings,
    disk: options.rules,
    releases,
    budget_per_day: options.rule_budget_per_day,
    ...(unknownFields && { unknownFields }),
    counts: () => engine.ledger,
    onMoves: (moves, who) => audit && recordMoves(audit, moves, who, problems.report),
    led: () => roles.led(),
    ...(cluster && { reached: () => engine.reached }),
  } satisfies Partial<Parameters<typeof RuleDesk.open>[0]>;
}

/** Vedette's own records are accounted for by their chain; the ledger is of what others send. */
export async function ledgerOf({ log, store, tenant }: RuntimeOptions, engine: Detection): Promise<readonly LedgerLine[]> {
  const counts = await log.counts();
  const accepted = new Map([...counts].flatMap(([name, n]) => (name.startsWith("in/") ? [[name.slice(3), n] as const] : [])));
  const lines = engine.ledger.lines(accepted).filter(({ name }) => !name.startsWith(reservedPrefix));
  return withSeries(lines, await store.series.sources(tenant));
}
