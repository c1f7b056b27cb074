/**
 * Proves in turn that each rule in force can fire: sends its canary through production's own ingest and waits for the alert it would be. A rule
 * whose canary is lost raises an alert that says where. Knows no HTTP.
 */
import { randomBytes } from "node:crypto";
import type { Clock, FormatSpec } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Fields, LostAt, Micros, ProofLine, ProofReport, ProofState } from "@vedette/model";
import type { SettingStore } from "@vedette/store";
import type { CanaryTrace } from "../analysis.ts";
import type { Intakes } from "../intake/intakes.ts";
import { reportOwn } from "../own_findings.ts";
import type { Program } from "../program.ts";
import type { CanaryKey } from "./mark.ts";
import { type Canary, CanaryPlanner, type Provable } from "./plan.ts";

export interface ProverOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly settings: SettingStore;
  readonly intakes: Intakes;
  readonly formats: ReadonlyMap<string, FormatSpec>;
  readonly key: CanaryKey;
  readonly tenant: string;
  readonly program: () => Program | undefined;
  /** Whether rules are proved without being asked. */
  readonly enabled: boolean;
  /** How often each rule is. */
  readonly every: Micros;
}

/** An alert is up within half a second; a machine that is a minute behind says so by itself, see Runtime.ready. */
const patience: Micros = 120_000_000;
/** Nothing at the start, when everything else has to be done; then the first round, faster than the others. */
const firstAfter_ms = 120_000;
const firstRound: Micros = 900_000_000;
const leastSpacing_ms = 200;
const lookEvery_ms = 1_000;
/** Canaries under way when all are asked for at once. */
const atOnce = 16;
const setting = "canary.proofs";

type Proof = Omit<ProofLine, "id" | "title" | "state"> & { readonly hash: string; readonly state: Exclude<ProofState, "waiting"> };

interface Flight {
  readonly rule: Provable;
  readonly canary: Canary;
  readonly sent: Micros;
  trace?: CanaryTrace;
  ingested: boolean;
  triaged: boolean;
  readonly settle: () => void;
}

export class Prover {
  readonly #options: ProverOptions;
  readonly #planner: CanaryPlanner;
  readonly #proofs = new Map<string, Proof>();
  readonly #flights = new Map<string, Flight>();
  #forged = 0;
  #rules: { readonly program: Program; readonly rules: readonly Provable[] } | undefined;

  constructor(options: ProverOptions) {
    this.#options = options;
    this.#planner = new CanaryPlanner(options.formats);
  }

  /** What is known, here or by another process that proves some. */
  async load(): Promise<void> {
    const saved = await this.#options.settings.get(setting);
    for (const [id, proof] of saved === undefined ? [] : (JSON.parse(saved) as [string, Proof][]))
      if ((this.#proofs.get(id)?.at ?? -1) < (proof.at ?? 0)) this.#proofs.set(id, proof);
  }
  async save(): Promise<void> {
    await this.load();
    await this.#options.settings.set(setting, JSON.stringify([...this.#proofs]));
  }

  /** Pass 1 is through with a canary. */
  analysed(trace: CanaryTrace): void {
    const flight = this.#flights.get(trace.nonce);
    if (!flight) return;
    flight.trace = trace;
    // what pass 1 did not find, nothing later will
    if (!trace.found) this.#lose(trace.nonce, flight);
  }
  /** What others saw of those under way may not have been told: they prove nothing, neither this nor that. */
  unsure(): void {
    for (const [nonce, { settle }] of this.#flights) {
      this.#flights.delete(nonce);
      settle();
    }
  }
  /** A canary's finding has come to triage. @param alerted rule of the alert that it would be */
  triaged(nonce: string, alerted: string | undefined): void {
    const flight = this.#flights.get(nonce);
    if (!flight) return;
    flight.triaged = true;
    if (alerted !== flight.rule.id) {
      this.#lose(nonce, flight);
      return;
    }
    const { rule, canary } = flight;
    this.#settle(nonce, flight, { hash: rule.hash, state: "proved", how: canary.how, at: this.#options.clock.now() });
  }
  /** A batch bore a mark that is not ours. It was judged like any other; that somebody tried is worth an alert. */
  forged(offset: number): void {
    this.#forged++;
    const { log, tenant, clock } = this.#options;
    const summary = `raw batch ${offset} bears the mark of a canary that this installation did not make, or made once before; it was judged like any other`;
    const entities = [{ type: "log", id: "raw" }];
    void reportOwn(log, tenant, {
      rule: { id: "canary_forged", title: "Forged canary" },
      severity: "high",
      summary,
      entities,
      at: clock.now(),
    }).catch(() => {});
  }

  report(): ProofReport {
    const lines = this.#current().map(({ id, title, hash }): ProofLine => {
      const { hash: of, ...proof } = this.#proofs.get(id) ?? { hash: "", state: "waiting" as const };
      return of === hash ? { id, title, ...proof } : { id, title, state: "waiting" };
    });
    const counts = { proved: 0, silent: 0, unproved: 0, waiting: 0 };
    for (const { state } of lines) counts[state]++;
    const last = lines.reduce((most, { state, at = 0 }) => (state === "proved" ? Math.max(most, at) : most), 0);
    const { enabled, every } = this.#options;
    return { enabled, every_s: every / 1e6, counts, ...(last > 0 ? { last } : {}), forged: this.#forged, rules: lines };
  }

  /** Was this content of a rule seen to fire? */
  isProved(id: string, hash: string): boolean {
    const proof = this.#proofs.get(id);
    return proof?.state === "proved" && proof.hash === hash;
  }

  /** Proves these rules, or all, now; resolves when each is proved, silent or known not to be provable. */
  async prove(ids?: readonly string[], signal?: AbortSignal): Promise<void> {
    const wanted = this.#current().filter(({ id }) => ids === undefined || ids.includes(id));
    const looking = new AbortController();
    const looks = this.#look(looking.signal);
    const queue = [...wanted];
    const work = async () => {
      for (let rule = queue.shift(); rule && !signal?.aborted; rule = queue.shift()) await this.#send(rule);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    looking.abort();
    await looks;
    await this.save();
  }

  /** Round after round, spread evenly over time. */
  async run(signal: AbortSignal): Promise<void> {
    if (!this.#options.enabled) return;
    const { clock, every } = this.#options;
    await clock.sleep(firstAfter_ms, signal);
    if (signal.aborted) return;
    await this.load();
    const looks = this.#look(signal);
    while (!signal.aborted) {
      const rules = this.#current();
      const rule = this.#nextOf(rules);
      if (rule) void this.#send(rule);
      const known = rules.every(({ id, hash }) => this.#proofs.get(id)?.hash === hash);
      const round = known ? every : Math.min(every, firstRound);
      await clock.sleep(Math.max(leastSpacing_ms, round / 1_000 / Math.max(1, rules.length)), signal);
    }
    await looks;
    await this.save();
  }

  /** The one whose proof is oldest, among those that are not under way. */
  #nextOf(rules: readonly Provable[]): Provable | undefined {
    const flying = new Set([...this.#flights.values()].map(({ rule }) => rule.id));
    const age = ({ id, hash }: Provable) => {
      const proof = this.#proofs.get(id);
      return proof?.hash === hash ? (proof.at ?? 0) : -1;
    };
    return rules.filter(({ id }) => !flying.has(id)).reduce<Provable | undefined>((a, b) => (a && age(a) <= age(b) ? a : b), undefined);
  }

  #current(): readonly Provable[] {
    const program = this.#options.program();
    if (!program) return [];
    if (this.#rules?.program !== program) this.#rules = { program, rules: this.#planner.provable(program) };
    return this.#rules.rules;
  }

  /** Resolves when the rule is settled. */
  async #send(rule: Provable): Promise<void> {
    const { clock, intakes, key } = this.#options;
    const canary = await this.#planner.plan(rule.id, this.#options.program()!);
    if ("unprovable" in canary) {
      this.#proofs.set(rule.id, { hash: rule.hash, state: "unproved", at: clock.now(), reason: canary.unprovable });
      return;
    }
    const nonce = randomBytes(16).toString("base64url");
    const { promise, resolve } = Promise.withResolvers<void>();
    const flight: Flight = { rule, canary, sent: clock.now(), ingested: false, triaged: false, settle: resolve };
    this.#flights.set(nonce, flight);
    const { format, stream, preamble, bodies } = canary;
    const intake = intakes.canary(format, (header, records) => key.sign({ rule: rule.id, nonce }, header, records));
    const records = bodies.map((body, i) => ({ position: `${nonce}:${i}`, body: Buffer.from(body) }));
    intake.accept(records, { stream, ...(preamble === undefined ? {} : { preamble }) }).then(
      () => {
        flight.ingested = true;
      },
      (e: Error) => this.#lose(nonce, flight, e.message),
    );
    await promise;
  }

  /** Until the signal: gives up on canaries that are out for too long. */
  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(lookEvery_ms, signal);
      const oldest = this.#options.clock.now() - patience;
      for (const [nonce, flight] of this.#flights) if (flight.sent < oldest) this.#lose(nonce, flight);
    }
  }

  #lose(nonce: string, flight: Flight, failure?: string): void {
    if (!this.#flights.has(nonce)) return;
    const { log, tenant, clock } = this.#options;
    const { rule, canary } = flight;
    const { lost, reason } = whereLost(flight, failure);
    const at = clock.now();
    const before = this.#proofs.get(rule.id);
    this.#settle(nonce, flight, { hash: rule.hash, state: "silent", how: canary.how, at, lost, reason });
    // a rule on trial pages nobody; one that was silent before has its alert
    if (rule.shadow || (before?.state === "silent" && before.hash === rule.hash)) return;
    const summary = `${rule.title}: its canary was lost: ${lost.replaceAll("_", " ")}: ${reason}`;
    const entities = [{ type: "rule", id: rule.id }];
    void reportOwn(log, tenant, {
      rule: { id: "rule_silent", title: "A rule does not fire" },
      severity: "high",
      summary,
      entities,
      at,
    }).catch(() => {});
  }

  #settle(nonce: string, flight: Flight, proof: Proof): void {
    this.#flights.delete(nonce);
    this.#proofs.set(flight.rule.id, proof);
    flight.settle();
  }
}

/** The first stage that a canary did not get through. */
function whereLost(
  { ingested, trace, triaged, canary }: Flight,
  failure: string | undefined,
): { readonly lost: LostAt; readonly reason: string } {
  if (failure !== undefined || !(ingested || trace))
    return { lost: "not_ingested", reason: failure ?? "it was not accepted within two minutes" };
  if (!trace) return { lost: "not_analysed", reason: "it is in the log, and detection has not come to it within two minutes" };
  if (trace.found && !triaged)
    return { lost: "finding_lost", reason: "the rule matched, and its finding did not come to triage within two minutes" };
  if (trace.found) return { lost: "alert_lost", reason: "its finding came to triage, which made no alert of it" };
  if (trace.flaw) return { lost: "dead_letter", reason: `${trace.flaw.code}, expected ${trace.flaw.expected}` };
  if (trace.events.length === 0) return { lost: "dropped", reason: trace.dropped ?? "it became no event" };
  const changed = changedField(canary.events, trace.events);
  if (changed !== undefined) return { lost: "decoder_changed_fields", reason: changed };
  return { lost: "not_matched", reason: "the event is as it should be; the rule set in force does not match it" };
}

function changedField(expected: readonly Fields[], found: readonly Fields[]): string | undefined {
  for (const [i, fields] of expected.entries()) {
    for (const name of new Set([...Object.keys(fields), ...Object.keys(found[i] ?? {})])) {
      const [was, is] = [fields[name], found[i]?.[name]];
      if (JSON.stringify(was) !== JSON.stringify(is)) return `${name} should be ${said(was)} and is ${said(is)}`;
    }
  }
  return undefined;
}
const said = (value: unknown): string => (value === undefined ? "absent" : (JSON.stringify(value) ?? "").slice(0, 200));
