/** Requests to hosts that somebody else names: over TLS, to public addresses, bounded. Knows no protocol above HTTP. */
import { lookup as resolve } from "node:dns";
import { request as plain } from "node:http";
import { request as overTls } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { inNetwork, parseAddress, parseNetwork, privateNetworks } from "@vedette/condition";

export interface OutsideOptions {
  /** Whether private and loopback addresses may be asked too, loopback without TLS. */
  readonly privateAddresses: boolean;
}

/** Besides private ones: this host, protocol assignments, benchmarks, multicast and reserved (RFC 6890), and IPv6 that carries IPv4 past this list. */
const unreachable = [
  "0.0.0.0/8",
  "192.0.0.0/24",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/128",
  "64:ff9b::/96",
  "2002::/16",
  "ff00::/8",
];
const networks = [...privateNetworks, ...unreachable].map((text) => parseNetwork(text)!);
const loopback = ["127.0.0.0/8", "::1/128"].map((text) => parseNetwork(text)!);
/** A discovery document has a few KiB, a set of keys rarely more. */
const maxAnswer = 1_048_576;
const timeout_ms = 10_000;

const within = (address: string, of: typeof networks): boolean => {
  const read = parseAddress(address);
  return read === undefined || of.some((network) => inNetwork(read, network));
};

/** Whether an address is one of ours rather than one of the Internet's. */
export const isInside = (address: string): boolean => within(address, networks);

/** Judged when the connection is made: a name that meant something else a moment ago leads nowhere else. */
const guardedLookup =
  (allowed: (address: string) => boolean): LookupFunction =>
  (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, "", 0);
      const refused = found.find(({ address }) => !allowed(address));
      if (refused !== undefined || found.length === 0)
        return done(new Error(`${host} is at ${refused?.address ?? "no address"}, which is not asked`), "", 0);
      const [first] = found;
      if (options.all) (done as unknown as (error: null, all: typeof found) => void)(null, found);
      else done(null, first!.address, first!.family);
    });
  };

function allowedOf({ privateAddresses }: OutsideOptions, tls: boolean): (address: string) => boolean {
  if (!privateAddresses) return (address) => !isInside(address);
  // without TLS no further than this host
  return (address) => tls || within(address, loopback);
}

/** A `fetch` that follows no redirect. Rejects with what was wrong with the address. */
export function outsideFetch(options: OutsideOptions) {
  return async (
    address: string,
    init: {
      readonly method?: string;
      readonly headers?: object;
      readonly body?: unknown;
      readonly signal?: AbortSignal | null | undefined;
    } = {},
  ): Promise<Response> => {
    const url = new URL(address);
    const tls = url.protocol === "https:";
    if (!tls && !(options.privateAddresses && url.protocol === "http:")) throw new Error(`${url.origin}: expected https`);
    if (url.username !== "" || url.password !== "") throw new Error(`${url.origin}: expected no user in the address`);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const allowed = allowedOf(options, tls);
    if (isIP(host) !== 0 && !allowed(host)) throw new Error(`${host} is not asked`);
    const body =
      init.body === undefined || init.body === null
        ? undefined
        : Buffer.from(init.body instanceof Uint8Array ? init.body : String(init.body));
    const signal = AbortSignal.any([AbortSignal.timeout(timeout_ms), ...(init.signal ? [init.signal] : [])]);
    return await new Promise<Response>((done, fail) => {
      const sent = (tls ? overTls : plain)(
        url,
        {
          method: init.method ?? "GET",
          headers: Object.fromEntries(new Headers(init.headers as ConstructorParameters<typeof Headers>[0])),
          lookup: guardedLookup(allowed),
          signal,
          agent: false,
        },
        (answer) => {
          const parts: Buffer[] = [];
          let size = 0;
          answer.on("data", (part: Buffer) => {
            size += part.length;
            if (size > maxAnswer) answer.destroy(new Error(`${url.host} answers more than ${maxAnswer} bytes`));
            else parts.push(part);
          });
          answer.on("error", fail);
          answer.on("end", () => {
            const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
              [value ?? []].flat().map((one): [string, string] => [name, one]),
            );
            const status = answer.statusCode ?? 502;
            const empty = status === 204 || status === 304;
            done(new Response(empty ? null : Buffer.concat(parts), { status, headers }));
          });
        },
      );
      sent.on("error", fail);
      sent.end(body);
    });
  };
}
