/** Every detector of this package, by file name, and the names by which correlations take their findings. */
import { readdirSync } from "node:fs";
import { type DetectorSpec, discover } from "@vedette/kit";

const folder = new URL("./detectors/", import.meta.url);
export const detectors = (): Promise<ReadonlyMap<string, DetectorSpec>> => discover<DetectorSpec>(folder);

const prefix = "detector.";
/** The detector that a correlation's reference names, as a whole or one of its parts. */
export const detectorOf = (reference: string): string | undefined =>
  reference.startsWith(prefix) ? reference.slice(prefix.length).split(".", 1)[0] : undefined;

let names: readonly string[] | undefined;
/** What may be referred to under these settings: detectors that are on, and the watches of theirs that the settings declare. */
export function detectorReferences(settings: { readonly [name: string]: unknown }): readonly string[] {
  names ??= readdirSync(folder).flatMap((file) => /^(\w+)\.(?:ts|js)$/.exec(file)?.[1] ?? []);
  return names.flatMap((name) => {
    const own = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (own === false) return [];
    const watches = (own as { watches?: unknown } | undefined)?.watches;
    const parts = Array.isArray(watches) ? (watches as readonly { name?: unknown }[]).flatMap((one) => one?.name ?? []) : [];
    return [`${prefix}${name}`, ...parts.map((part) => `${prefix}${name}.${String(part)}`)];
  });
}
