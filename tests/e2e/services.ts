/** The real servers that `scripts/services up` runs, as integration tests find them. Starts none. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runFolder } from "../../scripts/services_folder.mjs";

interface Address {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
}
/** What each server's note says beside its address. */
export interface Services {
  /** The plain port takes anybody for an administrator; by `sasl` the user `username` may do everything, and `guest` nothing. */
  readonly kafka: Address & {
    readonly sasl: {
      readonly port: number;
      readonly mechanism: "PLAIN";
      readonly username: string;
      readonly guest: string;
      readonly password: string;
    };
  };
  readonly postgres: Address & { readonly user: string; readonly password: string; readonly database: string };
  readonly redis: Address;
  readonly opensearch: Address;
  readonly prometheus: Address & { readonly config: string };
}

/**
 * Where a server answers; undefined where it does not run, so that a suite can skip: `describe.skipIf(service("redis") === undefined)`.
 * @throws in CI, where all of them have to run
 */
export function service<Name extends keyof Services>(name: Name): Services[Name] | undefined {
  const file = join(runFolder, `${name}.json`);
  const noted = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Services[Name]) : undefined;
  if (noted !== undefined && existsSync(`/proc/${noted.pid}`)) return noted;
  if (process.env["CI"] === "true") throw new Error(`${name} does not run: scripts/services up ${name}`);
  process.stderr.write(`skipped what needs ${name}: scripts/services up ${name}\n`);
  return undefined;
}
