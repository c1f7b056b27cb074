/** What a running Vedette does all the time, started and stopped: detection, triage, ticks, sources, and what falls to who leads. Answers nothing. */
import { feedAudit } from "../intake/audit_feed.ts";
import type { ConfiguredSource } from "../intake/source_runner.ts";
import { runTriage } from "../triage_runner.ts";
import { followAlerts } from "./listeners.ts";
import type { Parts } from "./parts.ts";
import { appendTicks, keepInOrder, upkeepEvery_ms } from "./upkeep.ts";

export class Tasks {
  readonly #parts: Parts;
  readonly #running: Promise<unknown>[] = [];
  #analysing = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get analysing(): boolean {
    return this.#analysing;
  }

  /** Sources come last, so that nothing is taken in before it can be analysed. */
  start(): void {
    const { clock, options, engine, roles, intakes, problems, progress, stop } = this.#parts;
    const { log, sources, cluster, audit: trail, chain } = options;
    const { signal } = stop;
    progress.started = clock.now();
    this.#analysing = true;
    this.add(
      "engine",
      engine.run(signal).finally(() => {
        this.#analysing = false;
      }),
    );
    this.add(
      "triage",
      roles.alone("triage", "triage", signal, (held) => this.#triage(held)),
    );
    this.add(
      "ticks",
      roles.alone("ingest", "ticks", signal, (held) => appendTicks(log, cluster?.partitions ?? 1, clock, problems.report, held)),
    );
    this.add(
      "lead",
      roles.lead(signal, (held) => this.#lead(held)),
    );
    if (cluster) this.#followOthers(signal);
    if (trail) this.add("audit", feedAudit({ trail, log, intakes, clock, ...(chain && { chain }) }, signal));
    if (roles.has("ingest")) for (const source of sources) this.#read(source, signal);
  }

  /** Lets what is accepted become durable, checkpoints, and ends. */
  async stop(): Promise<void> {
    const { options, intakes, sources, sinks, pool, stop } = this.#parts;
    stop.abort();
    intakes.headroom?.close();
    await Promise.all([sources.stopped(), sinks?.stopped()]);
    await intakes.settled();
    await Promise.allSettled(this.#running);
    // where state is away the rest ends all the same
    if (options.cluster === undefined) await this.#saveCounts();
    await pool.close();
  }

  /** Is waited for at the end; that it fails is reported as a problem. */
  add(name: string, task: Promise<unknown>): void {
    this.#running.push(task.catch((e: Error) => this.#parts.problems.report(`${name}_failed`, e.message)));
  }

  /** A source that asks others for data is read by one process alone. */
  #read(source: ConfiguredSource, signal: AbortSignal): void {
    const { options, roles, sources } = this.#parts;
    const asks = options.cluster && options.sourceSpecs.get(source.type)?.asks;
    if (asks) {
      const name = `source/${source.name}`;
      this.add(
        name,
        roles.alone("ingest", name, signal, (held) => sources.start(source, held)),
      );
    } else sources.start(source, signal);
  }

  #triage(signal: AbortSignal): Promise<void> {
    const { options, clock, control, listeners, canaries, prover, problems } = this.#parts;
    const { log, store, cluster } = options;
    return runTriage(
      {
        log,
        alerts: store.alerts,
        clock,
        retracted: (program, rule, raw) => control.retracted(program, rule, raw),
        onAlerts: (alerts) => {
          // of several processes any may triage: listeners hear of what is stored
          if (cluster === undefined) for (const alert of alerts) listeners.notify({ kind: "alert", alert });
        },
        onProblem: problems.report,
        onCanary: (nonce, alert) => (canaries ?? prover).triaged(nonce, alert?.rule.id),
      },
      signal,
    );
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { options, problems, sinks, prover } = this.#parts;
    if (options.cluster) await this.#takeOver().catch((e: Error) => problems.report("upkeep_failed", e.message));
    for (const sink of options.sinks?.configured ?? []) sinks!.start(sink, signal);
    await Promise.all([prover.run(signal), this.#upkeep(signal), sinks?.watch(signal), options.leads?.(signal)]);
    if (options.cluster) await this.#saveCounts();
  }

  /** Goes on with what the one that led before kept; tables are those of the files that are here. */
  async #takeOver(): Promise<void> {
    const { rules, enrichment } = this.#parts;
    await rules.reread();
    enrichment?.refresh();
    await enrichment?.reload({ by: "vedette", reason: "another process leads" });
  }

  #upkeep(signal: AbortSignal): Promise<void> {
    const { options, clock, problems, rules, quality } = this.#parts;
    const also = async () => {
      await rules.upkeep(upkeepEvery_ms);
      await quality.save();
    };
    return keepInOrder({ ...options, also }, clock, problems.report, signal);
  }

  async #saveCounts(): Promise<void> {
    const { rules, quality, problems } = this.#parts;
    const saved = await Promise.allSettled([rules.upkeep(Number.POSITIVE_INFINITY), quality.save()]);
    for (const one of saved) if (one.status === "rejected") problems.report("upkeep_failed", (one.reason as Error).message);
  }

  #followOthers(signal: AbortSignal): void {
    const { options, clock, control, roles, rules, enrichment, listeners, problems } = this.#parts;
    this.add(
      "control",
      control.follow(signal, () => {
        if (roles.leads) return;
        rules.refresh();
        enrichment?.refresh();
      }),
    );
    if (!roles.has("serve")) return;
    this.add("alerts", followAlerts(listeners, options.store.alerts, clock, problems.report, signal));
    this.add("leader", this.#followLeader(signal));
  }

  /** What other processes see of the canaries of this one; what the one that leads has proved and counted. */
  async #followLeader(signal: AbortSignal): Promise<void> {
    const { clock, canaries, prover, roles, rules } = this.#parts;
    const end = await canaries!.follow(prover);
    while (!signal.aborted) {
      await clock.sleep(upkeepEvery_ms, signal);
      // what cannot be read now is read the next time
      await prover.load().catch(() => {});
      if (!roles.leads) await rules.reread().catch(() => {});
    }
    end();
  }
}
