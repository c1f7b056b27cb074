/** Made-up people, sessions and machines, and who is signed in by which cookie. */
import type { ApiKey, Grant, Machine, User, UserSession, WhoIs } from "../src/api/access.ts";
import { stamp } from "./events.ts";
import { disguised, payloads } from "./hostile.ts";

/** Everybody's. */
export const fake_password = "correct horse battery";
/** Of those who have codes. */
export const fake_code = "287082";
export const fake_recovery = "k7fq-m2xz";

const viewer = ["alerts:read", "events:read", "rules:read", "sources:read", "system:read"];
const admin = [
  ...viewer,
  ...[
    "alerts:write",
    "events:export",
    "rules:write",
    "backtests:run",
    "sources:write",
    "pseudonyms:reveal",
    "audit:read",
    "holds:read",
    "holds:write",
    "data:erase",
  ],
  ...["users:read", "users:write", "machines:read", "machines:write", "system:write"],
];

export interface FakePeople {
  users: User[];
  sessions: UserSession[];
  machines: Machine[];
  keys: ApiKey[];
}

export function permissionsOf(grants: readonly Grant[]): readonly string[] {
  return grants.length === 0 ? [] : grants.some(({ role }) => role === "admin") ? admin : viewer;
}

export function whoIs({ users }: FakePeople, name: string): WhoIs | undefined {
  if (name === "admin") return { user: "admin", kind: "shared", grants: [{ role: "admin" }], permissions: admin };
  const user = users.find((one) => one.name === name && !one.disabled);
  if (user === undefined) return undefined;
  const { id, display_name, grants } = user;
  const duty = user.password === "initial" ? ({ duty: "change_password" } as const) : {};
  const permissions = user.password === "initial" ? [] : permissionsOf(grants);
  return { user: name, kind: "user", id, ...(display_name !== undefined && { display_name }), grants, permissions, ...duty };
}

export function newUser(name: string, grants: readonly Grant[], more: Partial<User> = {}): User {
  const created = stamp(Date.now() - 86_400_000 * 40);
  return { id: `u-${name}`, name, grants, disabled: false, created, password: "set", totp: false, sessions: 1, ...more };
}

export function makePeople(now_ms: number): FakePeople {
  const last_sign_in = stamp(now_ms - 3_600_000);
  const session = (id: string, user: string, current: boolean): UserSession => ({
    id,
    user,
    kind: "browser",
    by: "password",
    created: last_sign_in,
    used: stamp(now_ms - 40_000),
    expires: stamp(now_ms + 80_000_000),
    ip: "192.0.2.7",
    agent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0",
    current,
  });
  const since = stamp(now_ms - 7_000_000);
  const base = { role: "agent", created: since, expires: stamp(now_ms + 60_000_000) };
  return {
    users: [
      newUser("ann", [{ role: "admin" }], {
        display_name: "Ann Ålund",
        email: "ann@example.net",
        totp: true,
        recovery_codes: 9,
        last_sign_in,
      }),
      newUser("ben", [{ role: "viewer" }], { last_sign_in }),
      newUser("carla", [{ role: "analyst", rows: "host.name:login*", masks: ["user.full_name"] }], { password: "initial" }),
      newUser("dora", [{ role: "auditor" }], {
        password: "none",
        oidc: { issuer: "https://id.example.net", subject: "4711" },
        sessions: 0,
      }),
      newUser("emil", [], { disabled: true, sessions: 0 }),
    ],
    sessions: [session("s1", "ann", true), session("s2", "ann", false), session("s3", "ben", false)],
    keys: [
      {
        id: "k1",
        name: "nightly export",
        scope: ["events:read"],
        created: since,
        expires: stamp(now_ms + 86_400_000 * 60),
        used: last_sign_in,
      },
    ],
    machines: [
      {
        ...base,
        id: "agent:node17",
        name: "node17",
        state: "active",
        report: {
          at: stamp(now_ms - 8_000),
          until: stamp(now_ms + 80_000),
          address: "https://node17:9000",
          version: "0.1.0",
          health: "ok",
        },
      },
      {
        ...base,
        id: "agent:node18",
        name: "node18",
        state: "stale",
        report: { at: since, until: since, health: "failing", detail: "its disk is full" },
      },
      { ...base, id: "agent:old", name: "old", state: "revoked", revoked: { at: since, reason: "decommissioned" } },
    ],
  };
}

export const no_people: FakePeople = { users: [], sessions: [], machines: [], keys: [] };

export function hostilePeople(now_ms: number): FakePeople {
  const all = `${payloads.join(" ")} ${disguised}`;
  const made = makePeople(now_ms);
  return {
    users: [
      newUser(payloads[1]!, [{ role: "viewer", rows: all, masks: [payloads[0]!] }], {
        id: "hostile",
        display_name: all,
        email: payloads[2]!,
      }),
      ...made.users,
    ],
    sessions: [{ ...made.sessions[0]!, id: "hs", user: payloads[0]!, ip: payloads[3]!, agent: all, current: false }],
    keys: [{ ...made.keys[0]!, name: all }],
    machines: [
      {
        id: `agent:${payloads[1]}`,
        role: payloads[2]!,
        name: all,
        state: "active",
        created: stamp(now_ms),
        report: { at: stamp(now_ms), until: stamp(now_ms), health: payloads[0]!, address: payloads[3]!, version: all, detail: all },
      },
    ],
  };
}
