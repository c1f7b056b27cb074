/** Every enricher of this package, by file name. */
import { discover, type EnricherSpec } from "@vedette/kit";

export const enrichers = (): Promise<ReadonlyMap<string, EnricherSpec>> => discover<EnricherSpec>(new URL("./enrichers/", import.meta.url));
