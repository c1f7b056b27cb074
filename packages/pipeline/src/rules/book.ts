/**
 * The life of the running rules: what is on, who decided it, and every way it changes. One change at a time; each is a version in the
 * control topic. Knows no HTTP and no command line.
 */
import { BadInputError } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Applied, Consent, DecidedState, Decision, Micros, Requester, RuleChange, RuleOverlay, RulePlan } from "@vedette/model";
import type { SettingStore } from "@vedette/store";
import type { Control, Version } from "../control.ts";
import { reportOwn } from "../own_findings.ts";
import { makeProgram, own, type Program, type ProgramFile, sameRules } from "../program.ts";
import type { FindingsBatch } from "../triage_runner.ts";
import { type Catalogue, type CatalogueEntry, catalogueOf, refusalLines } from "./catalogue.ts";
import { coverage, differences } from "./difference.ts";
import { estimate, type GateOptions } from "./gate.ts";
import type { Release } from "./releases.ts";

export interface RuleBookOptions extends GateOptions {
  readonly control: Control;
  readonly log: Log;
  readonly settings: SettingStore;
  /** The rule files that the configuration names, as they are on disk now. May throw ConfigError. */
  readonly disk: () => readonly ProgramFile[];
  /** What is in force beside the rules, at the start. */
  readonly beside: Beside;
  /** Of a cluster: who may put something in force, if that is not this process. Then what is in force already is taken as it is. */
  readonly led?: () => { readonly by: string } | undefined;
  /** Told after each change. */
  readonly onChange?: (catalogue: Catalogue) => void;
}

/** What judges beside rules, or comes before them. */
export type Beside = Pick<
  Program,
  "pipelines" | "detectors" | "lateness_s" | "placeholders" | "enrich" | "tables" | "event_pipelines" | "pseudonym_key"
>;

/** What a change to the set of rules is to be. */
export type RuleRequest =
  /** The files that the configuration names, read again. */
  | { readonly kind: "reload" }
  /** Puts a release in the place of what its pack had. */
  | { readonly kind: "apply"; readonly release: Release; readonly state: DecidedState; readonly owner?: string; readonly review?: string }
  | { readonly kind: "remove"; readonly pack: string };

const never = new AbortController().signal;
const retractedSetting = "rules.retracted";

export class RuleBook {
  readonly #options: RuleBookOptions;
  #beside: Beside;
  #catalogue: Catalogue = catalogueOf(makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 0 }, 0));
  /** Changes wait for one another: each starts from what the one before made. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RuleBookOptions) {
    this.#options = options;
    this.#beside = options.beside;
  }

  get catalogue(): Catalogue {
    return this.#catalogue;
  }
  get current(): Program {
    return this.#options.control.current!;
  }

  /** The rules that the configuration names and the packs applied before, in force with what loads of them. */
  async start(): Promise<void> {
    const { control, clock, led } = this.#options;
    if (led?.() !== undefined && control.current !== undefined) return this.refresh();
    const now = clock.now();
    const overlay = control.current?.overlay;
    const files = [...this.#startingFiles(), ...[...packsOf(control.current).values()].flat()];
    const program = this.#program(files, overlay, undefined);
    const reason = control.current === undefined ? "the first start" : "the files or settings had changed since the last run";
    const change: RuleChange = { what: "start", by: "vedette", at: now, reason };
    await control.publish(control.current?.hash === program.hash ? program : { ...program, change });
    this.#take();
    await this.#finishRollback();
  }

  /** Takes what another process put in force. */
  refresh(): void {
    this.#beside = besideOf(this.current);
    this.#take();
  }

  /** What a change would do. Changes nothing. */
  async plan(request: RuleRequest, signal?: AbortSignal): Promise<RulePlan> {
    const now = this.#options.clock.now();
    return (await this.#prepare(request, { by: "", reason: "" }, now, signal)).plan;
  }

  /** Makes a change unless something stands in its way that `consent` does not cover; then the old set goes on as it was. */
  apply(request: RuleRequest, who: Requester, consent: Consent = {}): Promise<Applied> {
    return this.#inTurn(async () => {
      const at = this.#options.clock.now();
      const { plan, program } = await this.#prepare(request, who, at);
      const known = new Set(refusalLines(this.#catalogue));
      const blocked: string[] = [];
      const refused = plan.refused.filter((line) => !known.has(line));
      if (refused.length > 0 && !consent.without_refused)
        blocked.push(`${refused.length} rules are refused; repair them, or put the rest in force without them (--without-refused)`);
      for (const { title, held } of plan.gate.estimates)
        if (held !== undefined && !consent.force) blocked.push(`${title}: ${held} (--force puts it in force all the same)`);
      const { lost, rules_lost } = plan.coverage;
      if ((lost.length > 0 || rules_lost.length > 0) && !consent.yes) {
        const techniques = lost.length > 0 ? ` and ${lost.join(" ")} not covered any more` : "";
        blocked.push(`coverage gets less: ${rules_lost.length} enabled rules less${techniques} (--yes if that is meant)`);
      }
      if (blocked.length === 0) await this.#publish(program);
      return { version: this.#options.control.versions.length, blocked, plan };
    });
  }

  /** Decides on one rule. A rule that asks too much is not enabled unless forced. */
  decide(id: string, state: DecidedState, who: Requester & Pick<Decision, "owner" | "review">, consent: Consent = {}): Promise<Applied> {
    return this.#inTurn(async () => {
      const entry = this.#entry(id);
      const at = this.#options.clock.now();
      const decision: Decision = { state, at, ...who };
      const decided = [entry, ...(state === "enabled" ? this.#feeding(entry) : [])];
      const decisions = Object.fromEntries(decided.map(({ rule }) => [rule.id, { ...decision, hash: rule.hash }]));
      const overlay = { ...this.current.overlay, rules: { ...this.current.overlay.rules, ...decisions } };
      const change: RuleChange = { what: "state", by: who.by, at, reason: who.reason, subject: id };
      const program = this.#program(this.current.rules, overlay, change);
      const plan = await this.#compare(program);
      const blocked = plan.gate.estimates.flatMap(({ title, held }) =>
        held === undefined || consent.force ? [] : [`${title}: ${held} (--force puts it in force all the same)`],
      );
      if (blocked.length === 0) await this.#publish(program);
      return { version: this.#options.control.versions.length, blocked, plan };
    });
  }

  /**
   * Goes back to an earlier version, by default the one before this that was not rolled back itself, and takes back what rules found
   * that were not enabled in it. @throws BadInputError `not_found`
   */
  rollback(to: number | undefined, who: Requester): Promise<{ readonly version: number; readonly to: number; readonly rules: number }> {
    return this.#inTurn(async () => {
      const { control, clock } = this.#options;
      const target = to === undefined ? this.#before() : control.versions[to - 1];
      if (target === undefined || target.number === control.versions.length)
        throw new BadInputError(
          "not_found",
          to === undefined ? "there is no earlier version" : `there is no earlier version ${to}; see rule versions`,
        );
      const left = control.versions.slice(target.number).filter(({ program }) => program.hash !== target.program.hash);
      // reading thousands of rules again takes seconds, and what is left is nearly always what is in force
      const known = (program: Program) => (program.hash === this.current.hash ? this.#catalogue : catalogueOf(program));
      const kept = enabledIn(known(target.program));
      const rules = new Map<string, readonly [string, string]>();
      for (const program of new Map(left.map((v) => [v.program.hash, v.program])).values())
        for (const [key, pair] of enabledIn(known(program))) if (!kept.has(key)) rules.set(key, pair);
      const retracted = { programs: [...new Set(left.map((v) => v.program.hash))], rules: [...rules.values()] };
      const change: RuleChange = { what: "rollback", at: clock.now(), ...who, to: target.number, retracted };
      await this.#publish(this.#program(target.program.rules, target.program.overlay, change));
      await this.#finishRollback();
      return { version: control.versions.length, to: target.number, rules: rules.size };
    });
  }

  /** Puts something else in force beside the same rules. Gives the version. */
  adjust(parts: Partial<Beside>, what: "enrichment" | "pipelines", who: Requester, subject: string): Promise<number> {
    return this.#inTurn(async () => {
      const { control, clock } = this.#options;
      this.#beside = { ...this.#beside, ...parts };
      await control.publish(this.#program(this.current.rules, this.current.overlay, { what, at: clock.now(), ...who, subject }));
      return control.versions.length;
    });
  }

  /** Stops judging by a rule, for the program's own reason, and says so in an alert. */
  quarantine(id: string, why: string): Promise<void> {
    return this.#inTurn(async () => {
      const { log, clock, tenant } = this.#options;
      const entry = this.#catalogue.entries.get(id);
      if (entry === undefined || entry.state === "quarantined") return;
      const at = clock.now();
      const decision = { state: "quarantined" as const, by: "vedette", at, reason: why, hash: entry.rule.hash };
      const overlay = { ...this.current.overlay, rules: { ...this.current.overlay.rules, [id]: decision } };
      const change: RuleChange = { what: "quarantine", by: "vedette", at, reason: why, subject: id };
      await this.#publish(this.#program(this.current.rules, overlay, change));
      await reportOwn(log, tenant, {
        rule: { id: "vedette_slow_rule", title: "A slow rule was quarantined" },
        severity: "medium",
        summary: `${entry.rule.title}: ${why}; it is not judged any more. ${entry.rule.file}:${entry.rule.line}`,
        entities: [{ type: "rule.id", id }],
        at,
      });
    });
  }

  /** What a correlation rests on and is on trial only to feed it: what rests on a rule on trial would be on trial itself. */
  #feeding({ rule }: CatalogueEntry): readonly CatalogueEntry[] {
    const { entries, resting, silent } = this.#catalogue;
    return [...resting(rule.id)].flatMap((id) => {
      const one = entries.get(id);
      return one?.state === "shadow" && silent.has(id) ? [one] : [];
    });
  }

  #entry(id: string): CatalogueEntry {
    const entry = this.#catalogue.entries.get(id);
    if (entry === undefined) throw new BadInputError("not_found", `no rule ${id.slice(0, 200)} is loaded`);
    return entry;
  }

  async #prepare(request: RuleRequest, who: Requester, at: Micros, signal?: AbortSignal): Promise<{ plan: RulePlan; program: Program }> {
    const packs = packsOf(this.current);
    const all = { ...this.current.overlay.packs };
    let disk: readonly ProgramFile[] = diskOf(this.current);
    if (request.kind === "reload") disk = this.#options.disk();
    else if (request.kind === "remove") {
      if (!packs.delete(request.pack)) throw new BadInputError("not_found", `there is no pack ${request.pack} in force`);
      delete all[request.pack];
    } else {
      const { release, kind: _, ...decision } = request;
      const { pack, hash, origin } = release;
      packs.set(
        pack,
        release.rules.map(({ file, text }) => ({ file: `${pack}/${file}`, text, pack })),
      );
      all[pack] = { ...decision, ...who, at, release: hash, origin };
    }
    const subject = request.kind === "reload" ? undefined : request.kind === "apply" ? request.release.pack : request.pack;
    const change: RuleChange = {
      what: request.kind === "reload" ? "reload" : "apply",
      at,
      ...who,
      ...(subject === undefined ? {} : { subject }),
    };
    const program = this.#program([...disk, ...[...packs.values()].flat()], { ...this.current.overlay, packs: all }, change);
    return { plan: await this.#compare(program, signal), program };
  }

  async #compare(program: Program, signal = never): Promise<RulePlan> {
    const before = this.#catalogue;
    const after = catalogueOf(program);
    const fresh = [...after.entries.values()].filter(({ rule, hash, state }) => {
      const old = before.entries.get(rule.id);
      // what only feeds correlations raises nothing by itself
      return state === "enabled" && !after.silent.has(rule.id) && (old?.state !== "enabled" || old.hash !== hash);
    });
    return {
      program: program.hash,
      differences: differences(before, after),
      refused: refusalLines(after),
      notes: after.notes,
      coverage: coverage(before, after),
      gate: await estimate(
        fresh.map(({ rule }) => rule),
        program,
        this.#options,
        signal,
      ),
    };
  }

  #program(rules: readonly ProgramFile[], overlay: RuleOverlay | undefined, change: RuleChange | undefined): Program {
    const { clock } = this.#options;
    return makeProgram({ ...this.#beside, rules, ...(overlay ? { overlay } : {}), ...(change ? { change } : {}) }, clock.now());
  }

  async #publish(program: Program): Promise<void> {
    await this.#options.control.publish(program);
    this.#take();
  }

  #take(): void {
    this.#catalogue = catalogueOf(this.current);
    this.#options.onChange?.(this.#catalogue);
  }

  /** Triage is told once of each rollback: again after a crash that came between the new version and this. */
  async #finishRollback(): Promise<void> {
    const { control, log, settings } = this.#options;
    const version = control.versions.at(-1);
    const { retracted, by, reason } = version?.program.change ?? {};
    if (version === undefined || retracted === undefined || by === undefined) return;
    if (Number((await settings.get(retractedSetting)) ?? 0) >= version.number) return;
    const batch: FindingsBatch = { retract: { rules: retracted.rules, by, reason: reason ?? "" } };
    await log.append("findings", 0, Buffer.from(JSON.stringify(batch)));
    await settings.set(retractedSetting, String(version.number));
  }

  #before(): Version | undefined {
    const { versions } = this.#options.control;
    const gone = new Set(versions.flatMap(({ program }) => program.change?.retracted?.programs ?? []));
    const now = this.current;
    // a rollback is about rules: versions that differ in something else only are none to go back to
    return versions.findLast(({ program }) => program.hash !== now.hash && !gone.has(program.hash) && !sameRules(program, now));
  }

  /** Files on disk that were rolled back stay so until they are changed or reloaded by name: a restart must not bring them back. */
  #startingFiles(): readonly ProgramFile[] {
    const { control, disk } = this.#options;
    const found = disk();
    const { versions } = control;
    const last = versions.findLast(({ program }) => ["rollback", "reload", "start"].includes(program.change?.what ?? "start"));
    if (last?.program.change?.what !== "rollback") return found;
    const rolledBack = versions[last.number - 2];
    const same = rolledBack !== undefined && sameFiles(found, diskOf(rolledBack.program));
    return same ? diskOf(last.program) : found;
  }

  /** @throws BadInputError `conflict` where another process leads */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(() => {
      const leader = this.#options.led?.();
      if (leader) throw new BadInputError("conflict", `what is in force is changed by ${leader.by}, which leads; ask there`);
      return change();
    });
    this.#last = mine.catch(() => {});
    return mine;
  }
}

function besideOf(program: Program): Beside {
  const { pipelines, detectors, lateness_s, placeholders, enrich, tables, event_pipelines, pseudonym_key } = program;
  return {
    pipelines,
    detectors,
    lateness_s,
    ...(placeholders && { placeholders }),
    ...(enrich && { enrich }),
    ...(tables && { tables }),
    ...(event_pipelines && { event_pipelines }),
    ...(pseudonym_key !== undefined && { pseudonym_key }),
  };
}

const diskOf = (program: Program): ProgramFile[] => program.rules.filter(({ pack }) => pack === undefined);

function packsOf(program: Program | undefined): Map<string, ProgramFile[]> {
  const packs = new Map<string, ProgramFile[]>();
  for (const file of program?.rules ?? []) {
    if (file.pack === undefined || own(program!.overlay.packs, file.pack) === undefined) continue;
    const some = packs.get(file.pack);
    if (some) some.push(file);
    else packs.set(file.pack, [file]);
  }
  return packs;
}

const sameFiles = (a: readonly ProgramFile[], b: readonly ProgramFile[]): boolean => {
  const key = (files: readonly ProgramFile[]) => JSON.stringify(files.map(({ file, text }) => [file, text]).sort());
  return key(a) === key(b);
};

function enabledIn({ entries }: Catalogue): Map<string, readonly [id: string, hash: string]> {
  const on = [...entries.values()].filter(({ state }) => state === "enabled");
  return new Map(on.map(({ rule, hash }) => [`${rule.id}\0${hash}`, [rule.id, hash] as const]));
}
