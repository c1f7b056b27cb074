/** What may be permitted, and what each role permits. The one list: a route, a command or a page that needs another adds it here. Knows no route. */

/** `resource:verb`. Reading is shown to a person; writing changes something. */
export const permissions = [
  "alerts:read",
  "alerts:write",
  "events:read",
  "events:export",
  "rules:read",
  "rules:write",
  "backtests:run",
  "sources:read",
  "sources:write",
  "pseudonyms:reveal",
  "audit:read",
  "holds:read",
  "holds:write",
  "data:erase",
  "users:read",
  "users:write",
  "machines:read",
  "machines:write",
  "system:read",
  "system:write",
  /** Ask that Vedette act on the world, and let it: never by a token that several people share. */
  "actions:request",
  "actions:approve",
] as const;
export type Permission = (typeof permissions)[number];

/** Why what a permission opens cannot be narrowed to some rows or fields, where its routes do not do so. */
export const wholeOnly: Readonly<Partial<Record<Permission, string>>> = {
  "events:read": "it is made of records as they came, which have no fields to tell rows by",
  "rules:write": "rules judge every event, those that you do not see too",
  "sources:read": "a source's figures are of all its records, and records that became no event have no fields to tell rows by",
  "sources:write": "a source delivers rows of every kind",
  "pseudonyms:reveal": "a pseudonym may stand in rows that you do not see",
  "audit:read": "the audit trail is one chain, and what of it is left out cannot be proved",
  "holds:read": "a hold keeps events of all kinds",
  "holds:write": "a hold keeps events of all kinds",
  "data:erase": "what you do not see may be of the same person",
  "users:read": "people and their rights are no rows of events",
  "users:write": "people and their rights are no rows of events",
  "machines:read": "machines are no rows of events",
  "machines:write": "machines are no rows of events",
  "system:read": "these are figures of the whole program",
  "system:write": "this changes the whole program",
};

const viewer = ["alerts:read", "events:read", "rules:read", "sources:read", "system:read"] as const satisfies readonly Permission[];
const analyst = [...viewer, "alerts:write", "holds:read", "backtests:run", "events:export"] as const satisfies readonly Permission[];

export const roles = {
  viewer,
  analyst,
  responder: [...analyst, "actions:request", "actions:approve"],
  engineer: [...viewer, "rules:write", "backtests:run", "sources:write", "system:write", "machines:read"],
  auditor: [
    "alerts:read",
    "rules:read",
    "sources:read",
    "system:read",
    "audit:read",
    "holds:read",
    "holds:write",
    "users:read",
    "machines:read",
  ],
  admin: permissions,
} as const satisfies Readonly<Record<string, readonly Permission[]>>;
export type Role = keyof typeof roles;
