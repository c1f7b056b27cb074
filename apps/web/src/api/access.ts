/** The shapes of the HTTP API about who asks and what they may: sessions, people, roles, keys, machines. Times are RFC 3339 UTC strings. */
import type { Operation } from "@vedette/client";

export interface Machine {
  /** ROLE:NAME */
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly state: "active" | "silent" | "stale" | "expired" | "revoked";
  readonly created: string;
  readonly expires?: string;
  readonly report?: {
    readonly at: string;
    readonly until: string;
    readonly address?: string;
    readonly version?: string;
    readonly health: string;
    readonly detail?: string;
  };
  readonly revoked?: { readonly at: string; readonly reason: string };
}

export interface EnrolmentToken {
  readonly id: string;
  readonly token: string;
  readonly expires: string;
}

export type Duty = "change_password" | "enrol_totp";

/** As the server names them. */
export type Permission = NonNullable<Operation<"post", "/keys">["requestBody"]>["content"]["application/json"]["scope"][number];

export interface Grant {
  readonly role: "viewer" | "analyst" | "responder" | "engineer" | "admin" | "auditor";
  /** main where none is said. */
  readonly tenant?: string;
  /** Only events, and alerts with such events, for which this filter holds. */
  readonly rows?: string;
  /** Fields whose values are masked. */
  readonly masks?: readonly string[];
}

/** Who is signed in. */
export interface WhoIs {
  /** A name; admin for the shared admin token. */
  readonly user: string;
  readonly kind: "user" | "shared";
  readonly id?: string;
  readonly display_name?: string;
  readonly grants: readonly Grant[];
  /** Everything they may do, if perhaps not with everything. */
  readonly permissions: readonly string[];
  /** What has to be done before anything else is permitted. */
  readonly duty?: Duty;
  readonly session?: { readonly id: string; readonly by: string; readonly expires: string };
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly display_name?: string;
  readonly email?: string;
  readonly grants: readonly Grant[];
  readonly disabled: boolean;
  readonly created: string;
  readonly last_sign_in?: string;
  /** initial: made for them, and to be changed. */
  readonly password: "none" | "set" | "initial";
  readonly totp: boolean;
  /** How many are left. */
  readonly recovery_codes?: number;
  readonly oidc?: { readonly issuer: string; readonly subject: string };
  readonly sessions: number;
}

/** Somebody, with a first password that is shown this once. */
export interface UserWithPassword {
  readonly user: User;
  readonly initial_password?: string;
}

export interface UserSession {
  readonly id: string;
  readonly user: string;
  readonly kind: "browser" | "client";
  readonly by: "token" | "link" | "password" | "totp" | "recovery" | "oidc";
  readonly created: string;
  readonly used: string;
  readonly expires: string;
  readonly ip: string;
  readonly agent: string;
  /** Whether this request came by it. */
  readonly current: boolean;
}

/** A key of somebody's own for a program. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** What it may do at most. */
  readonly scope: readonly string[];
  readonly created: string;
  readonly expires: string;
  /** To the hour. */
  readonly used?: string;
}

export interface RoleLine {
  readonly role: string;
  readonly permissions: readonly string[];
}
