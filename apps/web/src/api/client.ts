/** The console's client of the API: by the session's cookie, and whoever wants to know hears of every 401. It keeps no data. */
import { ApiError, Client, queryOf } from "@vedette/client";

export { ApiError };

const prefix = "/api/v1";

const unauthorised = new Set<() => void>();

/** Calls back on every 401; returns the way to stop. */
export function onUnauthorised(listener: () => void): () => void {
  unauthorised.add(listener);
  return () => unauthorised.delete(listener);
}

/** Where a browser goes by itself: a stream, a link. Parameters that are undefined or empty are left out. */
export const apiPath = (path: string, params: { readonly [name: string]: string | number | undefined } = {}): string =>
  `${prefix}${path}${queryOf(params)}`;

export const api = new Client({
  baseUrl: prefix,
  credentials: "same-origin",
  thrown: (failure) => {
    if (failure.status === 401) for (const listener of unauthorised) listener();
    return new ApiError(failure);
  },
});
