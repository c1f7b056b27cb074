/** One running Vedette, as who serves it sees it: starts and stops it, hands out its parts, and answers for their state. Knows no HTTP and no command line. */
import type { Clock, EndpointContext, Intake } from "@vedette/kit";
import type { DetectorLine, LedgerLine, Micros, Notice, Problem, QualityReport, SinkState, SourceState } from "@vedette/model";
import type { Prover } from "../canary/prover.ts";
import type { Control } from "../control.ts";
import { type DeadLetterPage, readDeadLetters } from "../dead_letters.ts";
import type { Detection } from "../detection.ts";
import type { Enrichment } from "../enrichment/enrichment.ts";
import type { PipelineDesk, PipelinesApplied } from "../event_pipelines/desk.ts";
import type { Intakes, SourceOptions } from "../intake/intakes.ts";
import type { SourceRunner } from "../intake/source_runner.ts";
import { demoSource, sourceStates } from "../intake/source_states.ts";
import type { RuleDesk } from "../rules/desk.ts";
import { DemoReplay } from "./demo_replay.ts";
import type { RuntimeOptions } from "./options.ts";
import { ledgerOf, openParts, type Parts } from "./parts.ts";
import { blocks } from "./problems.ts";
import { Tasks } from "./tasks.ts";

/** Alerts are late by this much before `ready` says so: analysis has stopped or cannot keep up. */
const maxLag: Micros = 60_000_000;

export class Runtime {
  readonly #parts: Parts;
  readonly #tasks: Tasks;
  readonly #demo: DemoReplay;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#tasks = new Tasks(parts);
    this.#demo = new DemoReplay(parts.options.demo);
  }

  static async open(options: RuntimeOptions): Promise<Runtime> {
    return new Runtime(await openParts(options));
  }

  start(): void {
    this.#tasks.start();
  }

  /** Stops taking in, lets what is accepted become durable, checkpoints, closes. */
  async stop(): Promise<void> {
    this.#demo.stop();
    await this.#tasks.stop();
  }

  get clock(): Clock {
    return this.#parts.clock;
  }
  get intakes(): Intakes {
    return this.#parts.intakes;
  }
  get engine(): Detection {
    return this.#parts.engine;
  }
  get sources(): SourceRunner {
    return this.#parts.sources;
  }
  /** Whether rules can fire. */
  get prover(): Prover {
    return this.#parts.prover;
  }
  /** What is added to events; absent where nothing is. */
  get enrichment(): Enrichment | undefined {
    return this.#parts.enrichment;
  }
  /** What people do with pipelines of events. */
  get pipelines(): PipelineDesk {
    return this.#parts.pipelines;
  }
  /** What people do with the rules. */
  get desk(): RuleDesk {
    return this.#parts.rules;
  }
  /** What events are judged by now. */
  get program(): Control["current"] {
    return this.#parts.control.current;
  }

  /** Reads the files that the configuration names again; what keeps them from being in force stands among the problems until they are. */
  reloadRules(why: string): Promise<Awaited<ReturnType<RuleDesk["apply"]>>> {
    const apply = () => this.desk.apply({ kind: "reload" }, { by: "vedette", reason: why });
    return this.#reload("rules_not_reloaded", apply, ({ blocked, plan }) => (blocked.length === 0 ? [] : [...blocked, ...plan.refused]));
  }
  /** As `reloadRules`, of the event pipelines. */
  reloadPipelines(why: string): Promise<PipelinesApplied> {
    const apply = () => this.pipelines.reload({ by: "vedette", reason: why });
    return this.#reload("pipelines_not_reloaded", apply, ({ blocked }) => blocked);
  }
  async #reload<A>(code: string, apply: () => Promise<A>, refused: (applied: A) => readonly string[]): Promise<A> {
    const { report } = this.#parts.problems;
    try {
      const applied = await apply();
      const reasons = refused(applied);
      report(code, reasons.length === 0 ? undefined : reasons.join("; "));
      return applied;
    } catch (e) {
      report(code, (e as Error).message);
      throw e;
    }
  }

  /** Intake of a source by name, for endpoints. */
  intake(options: SourceOptions): Intake {
    return this.intakes.open(options);
  }
  endpointContext(sourceOptions: (name: string) => SourceOptions = (source) => ({ source })): EndpointContext {
    return { intake: (name) => this.intake(sourceOptions(name)), clock: this.clock, warn: this.#parts.problems.report };
  }

  /** @param wantsEvents whether it wants samples of the newest events too */
  subscribe(listener: (n: Notice) => void, wantsEvents = false): () => void {
    return this.#parts.listeners.add(listener, wantsEvents);
  }

  rules(): ReturnType<RuleDesk["lines"]> {
    return this.desk.lines();
  }
  ledger(): Promise<readonly LedgerLine[]> {
    return ledgerOf(this.#parts.options, this.engine);
  }
  detectors(): readonly DetectorLine[] {
    return this.engine.detectors();
  }
  logBytes(): Promise<number> {
    return this.#parts.options.logBytes();
  }
  /** The ledger with what each source is doing; senders over HTTP appear once they have sent something. */
  async sourceStates(): Promise<readonly SourceState[]> {
    return sourceStates(await this.ledger(), this.sources, this.intakes, this.#parts.rates, this.clock.now());
  }
  async sinkStates(): Promise<readonly SinkState[]> {
    return (await this.#parts.sinks?.states()) ?? [];
  }
  /** How well data comes in. */
  quality(): QualityReport {
    return this.#parts.quality.report();
  }
  /** Events stored a second. */
  rate(): number {
    return this.#parts.rates.of("");
  }
  /** Newest first; `before` is the raw cursor of the page before. */
  deadLetters(limit: number, before?: number): Promise<DeadLetterPage> {
    return readDeadLetters(this.#parts.options.log, limit, before);
  }

  get started(): Micros {
    return this.#parts.progress.started;
  }
  /** How far behind the newest accepted record analysis is, by receive time. */
  async lag(): Promise<Micros> {
    return this.#parts.progress.lag();
  }
  /** Resolves when everything accepted so far has been analysed and its outputs are durable. */
  caughtUp(signal: AbortSignal): Promise<void> {
    return this.#parts.progress.caughtUp(signal);
  }
  async ready(): Promise<{ readonly ready: boolean; readonly problems: readonly Problem[] }> {
    const { options, roles, progress } = this.#parts;
    const problems = this.#parts.problems.list();
    if (!this.#tasks.analysing) problems.push({ code: "engine_stopped", message: "detection is not running" });
    const lag = progress.lag();
    if (lag > maxLag) problems.push({ code: "behind", message: `detection is ${Math.round(lag / 1e6)} s behind what is accepted` });
    const shares = options.cluster !== undefined && (roles.has("analyse") || roles.has("triage"));
    return { ready: progress.started > 0 && !blocks(problems, shares), problems };
  }
  /** Says to the other processes of the installation where this one answers. */
  answersAt(address: string): void {
    this.#parts.roles.address = address;
  }

  get demoRunning(): boolean {
    return this.#demo.running;
  }
  /** Replays the bundled scenario, marked as demo, through the real path. */
  startDemo(): Promise<void> {
    if (this.#demo.running) return Promise.resolve();
    const done = this.#demo.start(this.intake({ source: demoSource, demo: true }));
    this.#tasks.add("demo", done);
    return done;
  }
  /** Removes events and alerts marked as demo. */
  async clearDemo(): Promise<{ readonly events: number; readonly alerts: number }> {
    this.#demo.stop();
    const { options, progress, stop } = this.#parts;
    await progress.caughtUp(stop.signal);
    return { events: await options.store.events.clearDemo(), alerts: await options.store.alerts.clearDemo() };
  }
}
