/** A detector over events as both passes would have it, those that it follows included, without the engine's order and lateness. */
import type { Claim } from "@vedette/kit";
import type { Event, Observation } from "@vedette/model";
import { type DetectStage, fieldsOfClaim, inputOf, prepareDetectors } from "./index.ts";

export class Folded {
  readonly stage: DetectStage;
  readonly #name: string;
  /** State by step and key, as a checkpoint would give it back. */
  readonly states = new Map<string, unknown>();
  /** Claims in the order in which they are made. */
  readonly claims: Claim[] = [];

  constructor(stage: DetectStage, name: string) {
    this.stage = stage;
    this.#name = name;
  }
  static async of(name: string, settings: unknown = {}): Promise<Folded> {
    return new Folded(await prepareDetectors({ [name]: settings }), name);
  }

  get config(): unknown {
    return this.stage.detectors.get(this.#name)!.config;
  }

  observe(event: Event): void {
    for (const o of this.stage.observe(event, Number.NEGATIVE_INFINITY, false)) this.#take(o);
  }
  flush(): void {
    for (const o of this.stage.flush().observations) this.#take(o);
  }

  #take(o: Observation): void {
    const own = o.detector === this.#name;
    if (!own && !this.stage.detectors.get(this.#name)!.spec.follows?.includes(o.detector)) return;
    const detector = this.stage.detectors.get(o.detector)!;
    const id = `${o.detector}\0${o.key}`;
    const before = this.states.get(id);
    const frozen = JSON.stringify(before);
    const { state, claims = [] } = detector.spec.fold(inputOf(o), before, detector.config);
    if (JSON.stringify(before) !== frozen) throw new Error(`${o.detector} changed its state in place`);
    this.states.set(id, state === undefined ? undefined : JSON.parse(JSON.stringify(state)));
    if (own) {
      this.claims.push(...claims);
      return;
    }
    for (const [n, claim] of claims.entries()) {
      const fields = fieldsOfClaim(detector, claim);
      const key = this.stage.detectors.get(this.#name)!.spec.key(fields, detector.config);
      if (key !== undefined)
        this.#take({ ...o, detector: this.#name, key: `main\0${key}`, event: `${o.event} ${n}`, fields, tally: undefined });
    }
  }
}
