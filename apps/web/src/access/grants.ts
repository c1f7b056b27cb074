/** What a person is granted, as the form has it: text that is turned into grants, and back. Pure. */
import type { Grant } from "../api/access.ts";

export const role_words = {
  viewer: "sees alerts, events, rules and sources",
  analyst: "and works on alerts, tests rules on the past, exports",
  responder: "and asks for actions and approves them",
  engineer: "sees the same as a viewer; changes rules, sources and settings",
  auditor: "sees the audit trail, people and machines; no events",
  admin: "everything",
} as const;
export type RoleName = keyof typeof role_words;
export const role_names = Object.keys(role_words) as RoleName[];

export interface GrantForm {
  readonly role: RoleName;
  /** A condition of the query language; empty: every row. */
  readonly rows: string;
  /** Fields, separated by spaces or commas. */
  readonly masks: string;
}

export const new_grant: GrantForm = { role: "viewer", rows: "", masks: "" };

export function formOf({ role, rows = "", masks = [] }: Grant): GrantForm {
  return { role: role as RoleName, rows, masks: masks.join(" ") };
}

/** @param before what the form was filled from: what it does not show stays */
export function grantOf({ role, rows, masks }: GrantForm, before?: Grant): Grant {
  const fields = masks.split(/[\s,]+/).filter((field) => field !== "");
  return {
    role,
    ...(before?.tenant !== undefined && { tenant: before.tenant }),
    ...(rows.trim() !== "" && { rows: rows.trim() }),
    ...(fields.length > 0 && { masks: fields }),
  };
}

/** In words, for lists. */
export function grantText({ role, tenant, rows, masks = [] }: Grant): string {
  const of = tenant === undefined || tenant === "main" ? "" : ` of ${tenant}`;
  const only = rows === undefined ? "" : `, only ${rows}`;
  return `${role}${of}${only}${masks.length === 0 ? "" : `, without ${masks.join(", ")}`}`;
}
