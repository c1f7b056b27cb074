/** Reads `host:port`. Opens nothing. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:5514`, `[::1]:5514`, `:5514` (loopback); undefined if it is no such thing. */
export function parseAddress(text: string): Address | undefined {
  const parts = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([\w.-]{0,253})):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) return undefined;
  return { host: parts[1] ?? (parts[2] || "127.0.0.1"), port };
}

export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
