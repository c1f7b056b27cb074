/** The query string as the only place of view state: reading and patching it, short and readable. */
import { useCallback } from "react";
import { useLocation, useNavigate } from "react-router";

export type Changes = { readonly [name: string]: string | undefined };

/** Applies changes to a query string; undefined and empty remove a parameter. Characters that are safe in a query stay readable. */
export function patchSearch(search: string, changes: Changes): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") params.delete(name);
    else params.set(name, value);
  }
  const text = params.toString().replace(/%(3A|2C|2F|2A|28|29|40)/g, (escaped) => decodeURIComponent(escaped));
  return text === "" ? "" : `?${text}`;
}

/** A comma list in a parameter, only of allowed values, in their order; undefined when the parameter is absent. */
export function parseList<T extends string>(value: string | null, allowed: readonly T[]): T[] | undefined {
  if (value === null) return undefined;
  const wanted = new Set(value.split(","));
  return allowed.filter((item) => wanted.has(item));
}

/** Any text as one part of a link: half of a surrogate pair, which a log may hold, has no place in one. */
export const linkPart = (text: string): string => encodeURIComponent(text.toWellFormed());

/** Where a path leads while the time zone in use stays in the link. */
export function keepZone(path: string, search: string): string {
  const zone = new URLSearchParams(search).get("z");
  if (zone === null) return path;
  const [pathname = "", query = ""] = path.split("?", 2);
  return `${pathname}${patchSearch(query, { z: zone })}`;
}

/** The token form. Not `/login`, which the server keeps for its one-time links, so that a reload shows the form again. */
export const sign_in = "/sign-in";

/** Only a path on this server may be returned to after login. */
export function safeNext(next: string | null): string {
  if (
    next === null ||
    !next.startsWith("/") ||
    /^\/[/\\]/.test(next) ||
    /[\u0000-\u001f]/.test(next) ||
    next.startsWith("/login") ||
    next.startsWith(sign_in)
  )
    return "/";
  return next;
}

export interface SearchState {
  readonly params: URLSearchParams;
  /** Patches the query string; `replace` for what is no step back, such as moving a selection. */
  readonly patch: (changes: Changes, how?: { readonly replace?: boolean }) => void;
}

export function useSearch(): SearchState {
  const location = useLocation();
  const navigate = useNavigate();
  const patch = useCallback(
    (changes: Changes, how?: { readonly replace?: boolean }) => {
      // The window's own address: a render may lag behind two quick patches.
      const search = patchSearch(window.location.search, changes);
      if (search !== window.location.search)
        navigate({ pathname: window.location.pathname, search }, { replace: how?.replace ?? false, preventScrollReset: true });
    },
    [navigate],
  );
  return { params: new URLSearchParams(location.search), patch };
}
