/** Every detector of this package, by file name. */
import { type DetectorSpec, discover } from "@vedette/kit";

export const detectors = (): Promise<ReadonlyMap<string, DetectorSpec>> => discover<DetectorSpec>(new URL("./detectors/", import.meta.url));
