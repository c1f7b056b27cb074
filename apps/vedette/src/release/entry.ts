/** What an archive, folder or commit holds, as far as a release of rules is concerned. Knows no archive. */
import { BadInputError } from "@vedette/kit";
import { releaseLimits } from "@vedette/pipeline";

/** One file, read when asked for: most of what an archive holds is no rule. */
export interface Entry {
  /** With forward slashes, from the archive's root. */
  readonly path: string;
  /** As the archive says; held to when it is read. */
  readonly bytes: number;
  readonly read: () => Buffer;
}

/** Entries of an archive: SigmaHQ's repository has 10,000. */
export const maxEntries = 200_000;
/** A packed archive is held in memory whole. */
export const maxArchiveBytes = 256 << 20;
export const maxFileBytes = releaseLimits.fileBytes;

export const broken = (where: string, what: string): BadInputError => new BadInputError("bad_encoding", `${where}: ${what}`);
export const tooLarge = (where: string, what: string): BadInputError => new BadInputError("too_large", `${where}: ${what}`);
