/** What is remembered of one exporter's observation domain: its templates, its samplers and where its count stands. Knows no transport. */
import { Sequence } from "./sequence.ts";
import { type Template, templateOfText, templateText, type Values } from "./template.ts";

/** Routers announce some tens of templates, of some tens of fields. */
const maxTemplates = 512;
const maxFields = 8_192;
const maxSamplers = 1_024;
/** Templates that need a longer text are not kept over a restart; the exporter announces them again. */
const maxText = 65_536;

export class Domain {
  readonly sequence = new Sequence();
  readonly #templates = new Map<number, Template>();
  /** Packets of which one was looked at, by sampler; "" where the exporter has but one. */
  readonly #samplers = new Map<string, number>();
  /** The exporter's uptime as it last told it, ms. */
  uptime = 0;
  changed = false;
  fields = 0;

  template(id: number): Template | undefined {
    return this.#templates.get(id);
  }

  /** False where there are too many. */
  learn(template: Template): boolean {
    const before = this.#templates.get(template.id);
    if (before !== undefined && templateText(before) === templateText(template)) return true;
    const fields = this.fields - (before?.fields.length ?? 0) + template.fields.length;
    if (fields > maxFields || (before === undefined && this.#templates.size >= maxTemplates)) return false;
    this.#templates.set(template.id, template);
    this.fields = fields;
    this.changed = true;
    return true;
  }

  /** @param id 2 and 3 stand for all (RFC 7011, 8.1) */
  forget(id: number): void {
    for (const one of id === 2 || id === 3 ? [...this.#templates.values()] : [this.#templates.get(id)]) {
      if (one === undefined || (id < 256 && one.scopes > 0 !== (id === 3))) continue;
      this.#templates.delete(one.id);
      this.fields -= one.fields.length;
      this.changed = true;
    }
  }

  /** Options may tell of a sampler. */
  observe(options: Values): void {
    const rate = rateOf(options);
    if (rate === undefined) return;
    const id = String(samplerOf(options) ?? "");
    if (this.#samplers.get(id) === rate || (!this.#samplers.has(id) && this.#samplers.size >= maxSamplers)) return;
    this.#samplers.set(id, rate);
    this.changed = true;
  }

  /** Of how many packets one was looked at; undefined where nobody said. */
  samplingOf(flow: Values): number | undefined {
    const own = rateOf(flow);
    if (own !== undefined) return own;
    const id = samplerOf(flow);
    if (id !== undefined) return this.#samplers.get(String(id));
    return this.#samplers.get("") ?? (this.#samplers.size === 1 ? this.#samplers.values().next().value : undefined);
  }

  /** As text, for a later run. */
  text(): string | undefined {
    const templates = [...this.#templates.values()].map(templateText).join(";");
    const text = `${templates}|${[...this.#samplers].map(([id, rate]) => `${id}=${rate}`).join(",")}`;
    return text.length > maxText ? undefined : text;
  }
  static ofText(text: string): Domain {
    const domain = new Domain();
    const [templates = "", samplers = ""] = text.split("|");
    for (const one of templates.split(";")) {
      const template = templateOfText(one);
      if (template !== undefined) domain.learn(template);
    }
    for (const one of samplers.split(",")) {
      const [id = "", rate] = one.split("=");
      if (rate !== undefined && Number(rate) > 0) domain.#samplers.set(id, Number(rate));
    }
    domain.changed = false;
    return domain;
  }
}

const samplerOf = (values: Values): string | number | undefined => values["samplerId"] ?? values["selectorId"];

function rateOf(values: Values): number | undefined {
  const interval = Number(values["samplingInterval"] ?? values["samplerRandomInterval"] ?? 0);
  if (interval > 0) return interval;
  const taken = Number(values["samplingPacketInterval"] ?? values["samplingSize"] ?? 0);
  const passed = values["samplingPacketInterval"] === undefined ? undefined : Number(values["samplingPacketSpace"] ?? 0);
  if (taken > 0) return ratio(passed === undefined ? Number(values["samplingPopulation"] ?? 0) : taken + passed, taken);
  const probability = Number(values["samplingProbability"] ?? 0);
  return probability > 0 ? ratio(1, probability) : undefined;
}
const ratio = (all: number, taken: number): number | undefined =>
  all / taken >= 1 && Number.isFinite(all / taken) ? Math.round((all / taken) * 1_000) / 1_000 : undefined;
