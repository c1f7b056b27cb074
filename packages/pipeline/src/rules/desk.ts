/** Everything people do with the rules of a running Vedette, in one place: looks them up, changes them, and watches what they cost. Knows no HTTP. */
import { detectorOf, detectors } from "@vedette/detect";
import { BadInputError } from "@vedette/kit";
import type {
  Applied,
  Consent,
  DecidedState,
  Decision,
  Finding,
  Micros,
  NewRelease,
  ReleaseHead,
  Requester,
  RuleGuidance,
  RuleLine,
  RulePlan,
  RuleVersion,
  RuleWish,
} from "@vedette/model";
import type { SigmaRule } from "@vedette/sigma";
import type { ProgramFile } from "../program.ts";
import { type Beside, RuleBook, type RuleBookOptions, type RuleRequest } from "./book.ts";
import { type Catalogue, type CatalogueEntry, isPlain } from "./catalogue.ts";
import { guidanceOfDetector, guidanceOfRule, noGuidance, responseOf } from "./guidance.ts";
import { type Counts, historyOf, ruleLines } from "./lines.ts";
import { movesOf, type RuleMove, type Standings } from "./moves.ts";
import { checkRelease, type Releases } from "./releases.ts";
import { SlowRules } from "./slow.ts";
import { type Judged, type OnTrial, type TrialState, Trials } from "./trial.ts";
import { TrialFeed } from "./trial_feed.ts";

export interface RuleDeskOptions extends Omit<RuleBookOptions, "onChange"> {
  readonly releases: Releases;
  /** What was counted of each rule so far. */
  readonly counts: () => Counts;
  /** Told of the rules that a change put on or off, once it is in force. Never throws. */
  readonly onMoves?: (moves: readonly RuleMove[], by: Requester) => void;
  /** Of a rule, the fields that no event is known to carry, under these mappings; without it every field is taken for known. */
  readonly unknownFields?: (pipelines: readonly ProgramFile[]) => (rule: SigmaRule) => readonly string[];
  /** Where several processes count, of which this one may lead: how far all of them are. */
  readonly reached?: () => Micros;
  /** Was this content of a rule seen to fire, by its canary? */
  readonly proved: (id: string, hash: string) => boolean;
}

const trialSetting = "rules.trial";

export class RuleDesk {
  readonly #options: RuleDeskOptions;
  readonly #book: RuleBook;
  readonly #feed: TrialFeed | undefined;
  #trials = new Trials();
  readonly #slow = new SlowRules();
  #fields:
    | {
        readonly pipelines: readonly ProgramFile[];
        readonly unknownIn: (rule: SigmaRule) => readonly string[];
        /** By content hash. */
        readonly known: Map<string, readonly string[]>;
      }
    | undefined;
  #standings: Standings | undefined;

  private constructor(options: RuleDeskOptions) {
    this.#options = options;
    this.#feed = options.reached && new TrialFeed(options.log);
    this.#book = new RuleBook({ ...options, onChange: (catalogue) => this.#follow(catalogue) });
  }

  /** Puts in force what the configuration names and what was applied before. */
  static async open(options: RuleDeskOptions): Promise<RuleDesk> {
    const desk = new RuleDesk(options);
    await desk.#restore();
    await desk.#book.start();
    return desk;
  }

  async #restore(): Promise<void> {
    const saved = await this.#options.settings.get(trialSetting);
    const state = saved === undefined ? undefined : (JSON.parse(saved) as TrialState & { readonly findings?: number });
    if (state) this.#trials.restore(state);
    this.#feed?.begin(state?.findings);
  }

  /** Of several processes: what the one that leads has kept, to show it or to go on with it. */
  async reread(): Promise<void> {
    this.#trials = new Trials();
    await this.#restore();
    this.#follow(this.#book.catalogue);
  }

  lines(): { readonly rules: readonly RuleLine[]; readonly hash: string; readonly version: number } {
    const { budget_per_day, control, counts, proved } = this.#options;
    const rules = ruleLines(this.#book.catalogue, counts(), this.#trials, { budget_per_day, proved }, (entry) => this.#unknownIn(entry));
    return { rules, hash: this.#book.current.hash, version: control.versions.length };
  }

  /** One rule with every decision on it. @throws BadInputError `not_found` */
  rule(id: string) {
    const line = this.lines().rules.find((one) => one.id === id);
    if (line === undefined)
      throw new BadInputError("not_found", `there is no rule with the id ${id.slice(0, 200)}; rule list has them all`);
    const entry = this.#book.catalogue.entries.get(id);
    const { description = "", falsepositives = [], references = [] } = entry?.rule ?? {};
    const history = historyOf(id, entry?.pack, this.#options.control.versions);
    const response = entry === undefined ? [] : responseOf(entry.rule);
    return { ...line, description, falsepositives, references, response, hash: entry?.hash ?? "", history };
  }

  /** What a rule, correlation or detector tells whoever reads its alerts; of one that is there no longer nothing. */
  async guidance(id: string): Promise<RuleGuidance> {
    const entry = this.#book.catalogue.entries.get(id);
    if (entry !== undefined) return guidanceOfRule(entry.rule);
    const detector = (await detectors()).get(id);
    return detector === undefined ? noGuidance : guidanceOfDetector(detector);
  }

  /** Newest first. */
  versions(): readonly RuleVersion[] {
    const { versions } = this.#options.control;
    return versions
      .map(({ number, program: { change, hash, effective, rules } }) => ({
        number,
        at: effective,
        program: hash,
        rules: rules.length,
        what: change?.what ?? "start",
        by: change?.by ?? "vedette",
        reason: change?.reason ?? "",
        ...(change?.subject === undefined ? {} : { subject: change.subject }),
        ...(change?.to === undefined ? {} : { to: change.to }),
        current: number === versions.length,
      }))
      .reverse();
  }

  /** Keeps rules that were brought in; nothing is in force by it. */
  async keep(release: NewRelease): Promise<{ readonly release: ReleaseHead; readonly plan: RulePlan }> {
    const head = await this.#options.releases.put(release, this.#options.clock.now());
    return { release: head, plan: await this.plan({ kind: "apply", release: head.hash, state: "shadow" }) };
  }
  /** What rules would do that are not kept. */
  look(release: NewRelease, state: DecidedState): Promise<RulePlan> {
    checkRelease(release);
    return this.#book.plan({ kind: "apply", release: { ...release, hash: "", at: 0, files: release.rules.length }, state });
  }
  releases(): Promise<readonly ReleaseHead[]> {
    return this.#options.releases.list();
  }

  async plan(wish: RuleWish): Promise<RulePlan> {
    return this.#book.plan(await this.#request(wish));
  }
  async apply(wish: RuleWish, who: Requester, consent: Consent = {}): Promise<Applied> {
    return this.#book.apply(await this.#request(wish), who, consent);
  }

  /** What a promotion lacks is in the way of one, unless it is forced. */
  async decide(
    id: string,
    state: DecidedState,
    who: Requester & Pick<Decision, "owner" | "review">,
    consent: Consent = {},
  ): Promise<Applied> {
    return this.#book.decide(id, state, who, consent);
  }
  /** From shadow to enabled, if nothing speaks against it. */
  async promote(id: string, who: Requester & Pick<Decision, "owner" | "review">, consent: Consent = {}): Promise<Applied> {
    const line = this.rule(id);
    if (line.state !== "shadow") throw new BadInputError("conflict", `${line.title} is ${line.state}, not in shadow`);
    const missing = consent.force ? [] : (line.missing ?? []);
    const blocked = missing.map((one) => `${line.title}: ${one} (--force promotes it all the same)`);
    if (blocked.length === 0) return this.#book.decide(id, "enabled", who, consent);
    const plan = {
      program: "",
      differences: [],
      refused: [],
      notes: [],
      coverage: { enabled: [0, 0] as const, gained: [], lost: [], rules_lost: [] },
    };
    return { version: this.#options.control.versions.length, blocked, plan: { ...plan, gate: { events: 0, span_s: 0, estimates: [] } } };
  }
  rollback(to: number | undefined, who: Requester): ReturnType<RuleBook["rollback"]> {
    return this.#book.rollback(to, who);
  }

  /** The rules in force as they were compiled. */
  get catalogue(): Catalogue {
    return this.#book.catalogue;
  }

  /** Takes what another process put in force. */
  refresh(): void {
    this.#book.refresh();
  }

  /** Puts something else in force beside the same rules. Gives the version. */
  adjust(parts: Partial<Beside>, what: "enrichment" | "pipelines", who: Requester, subject: string): Promise<number> {
    return this.#book.adjust(parts, what, who, subject);
  }

  /** Counts one analysed job and what was found. */
  add(judged: Judged, findings: readonly Finding[]): void {
    this.#trials.add(judged, findings);
  }

  /** Every so often: quarantines what is slow, and keeps what was counted of rules on trial. @param window_ms since the last time */
  async upkeep(window_ms: number): Promise<void> {
    for (const [id, share] of this.#slow.after(this.#trials.spent(), window_ms))
      await this.#book.quarantine(id, `evaluating it took ${Math.round(share * 100)} % of a core`);
    const { counts, reached, settings } = this.#options;
    await this.#feed?.take(this.#trials, counts(), reached?.() ?? 0);
    await settings.set(trialSetting, JSON.stringify({ ...this.#trials.state(), ...(this.#feed && { findings: this.#feed.next }) }));
  }

  /** Looked at once for each content of a rule. */
  #unknownIn({ rule, hash }: CatalogueEntry): readonly string[] {
    const { unknownFields } = this.#options;
    if (unknownFields === undefined || !isPlain(rule)) return [];
    const { pipelines } = this.#book.current;
    if (this.#fields?.pipelines !== pipelines) this.#fields = { pipelines, unknownIn: unknownFields(pipelines), known: new Map() };
    const { known, unknownIn } = this.#fields;
    let found = known.get(hash);
    if (found === undefined) {
      found = unknownIn(rule);
      known.set(hash, found);
    }
    return found;
  }

  async #request(wish: RuleWish): Promise<RuleRequest> {
    return wish.kind === "apply" ? { ...wish, release: await this.#options.releases.get(wish.release) } : wish;
  }

  #follow({ entries, resting }: Catalogue): void {
    this.#tellMoves(new Map([...entries].map(([id, { rule, state, hash }]) => [id, { state, hash, title: rule.title }])));
    const shadow = [...entries.values()].filter(({ state }) => state === "shadow");
    const onTrial = ({ rule: { id }, hash, takes }: CatalogueEntry): OnTrial => {
      if (takes === undefined) return { hash, asks: [id], follows: false };
      const under = [...resting(id)];
      const asks = under.filter((one) => entries.get(one)?.number !== undefined);
      return { hash, asks, follows: under.some((one) => detectorOf(one) !== undefined) };
    };
    this.#trials.follow(new Map(shadow.map((entry) => [entry.rule.id, onTrial(entry)])));
  }

  #tellMoves(standings: Standings): void {
    const before = this.#standings;
    this.#standings = standings;
    const { by = "vedette", reason = "" } = this.#options.control.current?.change ?? {};
    const moves = before === undefined ? [] : movesOf(before, standings, by === "vedette");
    if (moves.length > 0) this.#options.onMoves?.(moves, { by, reason });
  }
}
