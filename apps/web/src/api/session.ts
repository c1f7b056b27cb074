/** Who is signed in and what they may. The server alone decides; pages ask here in order to show nobody what it would refuse. */
import { useQuery } from "@tanstack/react-query";
import type { WhoIs } from "./access.ts";
import { api } from "./client.ts";

export const session_key = ["session"] as const;

export function useSession() {
  return useQuery({ queryKey: session_key, staleTime: 60_000, queryFn: ({ signal }) => api.get("/session", { signal }) });
}

/** Whether every role reaches only some rows or fields: then only answers that keep to these are given. Exported for its test. */
export function isConfined({ grants }: Pick<WhoIs, "grants">): boolean {
  return grants.length > 0 && grants.every(({ rows, masks = [] }) => rows !== undefined || masks.length > 0);
}

/** Answers of these are cut to what somebody may see; the others need a role without limits. */
const confinable = new Set(["alerts:read", "alerts:write", "events:read", "rules:read", "backtests:run"]);

export function maySee(who: Pick<WhoIs, "grants" | "permissions">, permission: string, whole = false): boolean {
  return who.permissions.includes(permission) && (!isConfined(who) || (confinable.has(permission) && !whole));
}

/**
 * Whether whoever is signed in may do this; false until it is known.
 * @param whole what it shows cannot be cut to some rows or fields
 */
export function useMay(permission: string, whole = false): boolean {
  const { data } = useSession();
  return data !== undefined && maySee(data, permission, whole);
}
