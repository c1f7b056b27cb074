/** Who asks, whichever way they proved it. Knows no proof. */
import type { Permission, Role } from "./permission.ts";

/** A role, and what of the data it reaches: all of it where nothing is said. */
export interface Grant {
  readonly role: Role;
  /** `main` where none is said. */
  readonly tenant?: string;
  /** Only events and alerts for which this condition of the query language holds, such as `host.name:login* AND NOT user.name:root`. */
  readonly rows?: string;
  /** ECS fields, `*` at the end allowed, whose values are masked. */
  readonly masks?: readonly string[];
}

export type Principal =
  | {
      readonly kind: "user";
      /** Stays the same when the user is renamed. */
      readonly id: string;
      readonly name: string;
      readonly grants: readonly Grant[];
      /** How: a browser's session, an access token, or a key of the user's own. */
      readonly by: "session" | "token" | "key";
      /** Names the session, where there is one. */
      readonly session?: string;
      /** Of a key: it may do these at most, and nothing that its owner may not. */
      readonly scope?: readonly Permission[];
      /** Names the key. */
      readonly key?: string;
    }
  /** The admin token of the data directory: whoever reads the file is it, so it can neither request nor approve an action. */
  | {
      readonly kind: "shared";
      readonly name: "admin";
      readonly grants: readonly Grant[];
      readonly session?: string;
      readonly scope?: readonly Permission[];
      readonly key?: string;
    }
  /** May deliver records of one source and nothing else. */
  | { readonly kind: "source"; readonly source: string; readonly token: string }
  /** A process or agent known by its certificate. */
  | { readonly kind: "machine"; readonly id: string; readonly role: string };

/** A grant of everything there is. */
export const admin: readonly Grant[] = [{ role: "admin" }];

/** What decisions, notes and the audit trail call who asks. */
export function callerOf(principal: Principal | undefined): string {
  if (principal === undefined) return "unknown";
  if (principal.kind === "source") return `source ${principal.source}`;
  return principal.kind === "machine" ? `machine ${principal.id}` : principal.name;
}

/** The session that a request rides on, where there is one. */
export const sessionOf = (principal: Principal | undefined): string | undefined =>
  principal?.kind === "user" || principal?.kind === "shared" ? principal.session : undefined;
