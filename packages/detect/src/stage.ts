/** Pass 1 of the keyed detectors: which events concern which detector, and by what key. Knows no state. */
import { compile, parseQuery } from "@vedette/condition";
import { ConfigError, contentHash, type DetectorSpec, newFields } from "@vedette/kit";
import type { Event, Micros, Observation } from "@vedette/model";
import { detectors } from "./registry.ts";

interface Prepared {
  readonly spec: DetectorSpec;
  readonly config: unknown;
  readonly hash: string;
  readonly concerns: (event: Event) => boolean;
}

export interface DetectStage {
  readonly detectors: ReadonlyMap<string, Prepared>;
  /** @param seen watermark of the event's (source, host) before it */
  observe(event: Event, seen: Micros, demo: boolean): readonly Observation[];
}

const none: readonly Observation[] = [];
const maxOriginal = 512;

/** Makes every detector ready with its settings (defaults where `settings` has none; false turns one off). */
export async function prepareDetectors(settings: { readonly [name: string]: unknown }): Promise<DetectStage> {
  const prepared = new Map<string, Prepared>();
  for (const [name, spec] of await detectors()) {
    if (settings[name] === false) continue;
    const config = spec.config.parse(settings[name] ?? {});
    const query = parseQuery(spec.where);
    if (!query.ok) throw new ConfigError("query_invalid", `detector ${name}: ${query.message}`);
    const concerns = compile(query.query.where);
    prepared.set(name, { spec, config, hash: contentHash(JSON.stringify([name, config])), concerns });
  }
  const all = [...prepared.values()];
  return {
    detectors: prepared,
    observe(event, seen, demo) {
      let found: Observation[] | undefined;
      for (const { spec, config, concerns } of all) {
        if (!concerns(event)) continue;
        const key = spec.key(event.fields, config);
        if (key === undefined) continue;
        const fields = newFields();
        for (const name of spec.fields) if (event.fields[name] !== undefined) fields[name] = event.fields[name];
        found ??= [];
        found.push({
          detector: spec.name,
          key: `${event.tenant}\0${key}`,
          time: event.time,
          source: event.source,
          seq: event.seq,
          host: event.host,
          event: event.id,
          received: event.received,
          demo,
          seen,
          fields,
          original: event.original.slice(0, maxOriginal),
        });
      }
      return found ?? none;
    },
  };
}
