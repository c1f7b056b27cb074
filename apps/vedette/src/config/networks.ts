/** Which networks are the site's: what `enrich.network_zones` calls internal is so for detectors too, unless a detector is told otherwise. Knows no detector by name. */
import { privateNetworks } from "@vedette/condition";
import { detectors } from "@vedette/detect";
import { enrichers } from "@vedette/enrich";
import type { Program } from "@vedette/pipeline";
import { z } from "zod";
import type { Config } from "./schema.ts";

const zoneShape = z.object({ zones: z.record(z.string(), z.object({ networks: z.array(z.string()), internal: z.boolean() })) });

/** Networks of the zones that are ours; none where the site names no zones. */
async function internalZones({ enrich }: Pick<Config, "enrich">): Promise<readonly string[]> {
  const told = enrich["network_zones"];
  const spec = (await enrichers()).get("network_zones");
  if (spec === undefined || told === undefined || told === false) return [];
  const { zones } = zoneShape.parse(spec.config.parse(told));
  return Object.values(zones).flatMap(({ networks, internal }) => (internal ? networks : []));
}

/** The detectors' settings; call after `checkComponents` found nothing wrong. One that tells inside from outside takes the private ranges and the internal zones for ours, where its own `internal` does not say. */
export async function configuredDetectors(config: Pick<Config, "enrich" | "detectors">): Promise<Program["detectors"]> {
  const zones = await internalZones(config);
  if (zones.length === 0) return config.detectors;
  const settings: { [name: string]: unknown } = { ...config.detectors };
  for (const [name, spec] of await detectors()) {
    const own = settings[name] ?? {};
    if (own === false || !(spec.config instanceof z.ZodObject) || !("internal" in spec.config.shape) || "internal" in (own as object))
      continue;
    settings[name] = { ...(own as object), internal: [...privateNetworks, ...zones] };
  }
  return settings;
}
