/** The formats of this process, found by file name once. Knows no concrete format. */
import { discover, type FormatSpec } from "@vedette/kit";

let known: ReadonlyMap<string, FormatSpec> = new Map();
let loading: Promise<ReadonlyMap<string, FormatSpec>> | undefined;

/** Every format by name. The first call loads them; formats that hand parts of a record on (`json`, `syslog`) see the others from then on. */
export function formats(): Promise<ReadonlyMap<string, FormatSpec>> {
  loading ??= discover<FormatSpec>(new URL("./formats/", import.meta.url)).then((found) => {
    known = found;
    return found;
  });
  return loading;
}

/** What `formats()` has loaded so far; empty before. */
export const loadedFormats = (): ReadonlyMap<string, FormatSpec> => known;
