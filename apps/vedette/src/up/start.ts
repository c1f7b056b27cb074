/** What every part of one start of `vedette up` is told. */
import type { DataDirectory, Role } from "@vedette/pipeline";
import type { Display } from "../commands/display.ts";
import type { Loaded } from "../config/load.ts";

export interface Start {
  readonly loaded: Loaded;
  readonly directory: DataDirectory;
  readonly display: Display;
  readonly version: string;
  /** Of this process, where it is one of several; without them it does everything. */
  readonly roles: ReadonlySet<Role> | undefined;
}
