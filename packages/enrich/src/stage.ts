/** Enrichers made ready by settings and tables, in the order in which they need one another. Knows no concrete enricher. */
import { BadInputError, ConfigError, defineHistogram, type Enrich, type EnricherSpec } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { enrichers } from "./registry.ts";

/** Every so many events are timed: two looks at the clock cost as much as a cheap enricher. */
const timedEvery = 64;
const took = defineHistogram(
  "enricher_duration_seconds",
  `Time an enricher took for one event, of every ${timedEvery}th event.`,
  ["enricher"],
  [1e-6, 5e-6, 2e-5, 1e-4, 1e-3, 1e-2],
);

/** Settings of enrichers by name, or false to turn one off; one that is not named does not run. */
export type EnrichSettings = { readonly [name: string]: unknown };

export interface EnrichStage {
  readonly names: readonly string[];
  /** Tables that could not be read, and why: their enrichers do not run. */
  readonly broken: readonly { readonly name: string; readonly why: string }[];
  enrich(fields: Fields): void;
}

/**
 * @param tables the content of a table by the enricher's name; undefined for one that is not there
 * @throws ConfigError `config_invalid` for settings that do not fit
 */
export async function prepareEnrichers(settings: EnrichSettings, tables: (name: string) => Uint8Array | undefined): Promise<EnrichStage> {
  const known = await enrichers();
  const running: { readonly name: string; readonly run: Enrich }[] = [];
  const broken: { readonly name: string; readonly why: string }[] = [];
  for (const name of ordered(known)) {
    if (!Object.hasOwn(settings, name) || settings[name] === false) continue;
    const spec = known.get(name)!;
    const parsed = spec.config.safeParse(settings[name] ?? {});
    if (!parsed.success) throw new ConfigError("config_invalid", `enrich.${name}: ${parsed.error.issues[0]?.message}`);
    const bytes = spec.table === undefined ? undefined : tables(name);
    if (spec.table !== undefined && bytes === undefined) continue;
    try {
      const table: unknown = bytes === undefined ? undefined : spec.table?.read(bytes).value;
      running.push({ name, run: spec.enricher(parsed.data, table) });
    } catch (e) {
      if (!(e instanceof BadInputError)) throw e;
      broken.push({ name, why: e.message });
    }
  }
  const steps = running.map(({ run }) => run);
  let seen = 0;
  return {
    names: running.map(({ name }) => name),
    broken,
    enrich(fields) {
      if (++seen % timedEvery !== 0) for (const step of steps) step(fields);
      else
        for (const { name, run } of running) {
          const begun = performance.now();
          run(fields);
          took.observe((performance.now() - begun) / 1_000, name);
        }
    },
  };
}

/** By name, but after those whose fields it reads. */
function ordered(known: ReadonlyMap<string, EnricherSpec>): readonly string[] {
  const done = new Set<string>();
  const visit = (name: string) => {
    if (done.has(name)) return;
    done.add(name);
    for (const before of known.get(name)?.after ?? []) visit(before);
    order.push(name);
  };
  const order: string[] = [];
  for (const name of [...known.keys()].sort()) visit(name);
  return order;
}
