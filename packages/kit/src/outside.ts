/**
 * Requests to hosts that somebody else names: which addresses a request may go to, judged when the connection is made, and HTTP that follows no
 * redirect. Knows no protocol above HTTP.
 */
import { lookup as resolve } from "node:dns";
import { type IncomingMessage, request as plain, type RequestOptions } from "node:http";
import { request as overTls } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { inNetwork, parseAddress, parseNetwork, privateNetworks } from "@vedette/condition";

/**
 * Where an address is: `link` means something to this machine's link or cloud only, or to nobody; `loopback` is this machine; `site` is ours, or
 * carries IPv4 past this list; the rest is the Internet's.
 */
export type Whereabouts = "link" | "loopback" | "site" | "public";

/** Link-local, this host, multicast and reserved (RFC 6890), and the metadata addresses of the large clouds outside them. */
const link = [
  "169.254.0.0/16",
  "fe80::/10",
  "0.0.0.0/8",
  "::/128",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "ff00::/8",
  "fd00:ec2::254/128",
  "100.100.100.200/32",
  "192.0.0.192/32",
];
const loopback = ["127.0.0.0/8", "::1/128"];
/** Besides private ones: protocol assignments, benchmarks, and IPv6 that carries IPv4 (NAT64, 6to4). */
const site = [...privateNetworks, "192.0.0.0/24", "198.18.0.0/15", "64:ff9b::/96", "2002::/16"];
const places = (
  [
    ["link", link],
    ["loopback", loopback],
    ["site", site],
  ] as const
).map(([place, texts]) => [place, texts.map((text) => parseNetwork(text)!)] as const);

/** What is no address is nowhere to go. */
export function whereabouts(address: string): Whereabouts {
  const read = parseAddress(address);
  if (read === undefined) return "link";
  return places.find(([, networks]) => networks.some((network) => inNetwork(read, network)))?.[0] ?? "public";
}

export type MayReach = (address: string) => boolean;

/** The host of a URL as an address; undefined where it is a name. */
export function addressIn(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 ? undefined : host;
}

/** Judged where it is connected to: a name that meant something else a moment ago leads nowhere else. */
export const guardedLookup =
  (may: MayReach): LookupFunction =>
  (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, "", 0);
      const allowed = found.filter(({ address }) => may(address));
      const [first] = allowed;
      if (first === undefined) return done(new Error(`${host} is at ${found[0]?.address ?? "no address"}, which is not asked`), "", 0);
      if (options.all) (done as unknown as (error: null, all: typeof found) => void)(null, allowed);
      else done(null, first.address, first.family);
    });
  };

/** An answer's head, its body still to be read; redirects are answers. @throws Error for an address that may not be asked */
export async function outsideRequest(
  url: URL,
  options: RequestOptions & { readonly may: MayReach; readonly body?: Uint8Array },
): Promise<IncomingMessage> {
  const { may, body, ...rest } = options;
  const address = addressIn(url);
  if (address !== undefined && !may(address)) throw new Error(`${address} is not asked`);
  return await new Promise<IncomingMessage>((done, fail) => {
    const sent = (url.protocol === "https:" ? overTls : plain)(url, { ...rest, lookup: guardedLookup(may) }, done);
    sent.on("error", fail);
    sent.end(body);
  });
}

/** A discovery document has a few KiB, a set of keys rarely more. */
const maxAnswer = 1_048_576;
const timeout_ms = 10_000;

function mayAsk(privateAddresses: boolean, tls: boolean): MayReach {
  return (address) => {
    const place = whereabouts(address);
    if (place === "public") return true;
    // without TLS no further than this host
    return privateAddresses && (place === "loopback" || (place === "site" && tls));
  };
}

interface FetchInit {
  readonly method?: string;
  readonly headers?: object;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

/**
 * A `fetch` over TLS, to public addresses. Rejects with what was wrong with the address.
 * @param privateAddresses whether ours and loopback may be asked too, loopback without TLS
 */
export function outsideFetch({ privateAddresses }: { readonly privateAddresses: boolean }) {
  return async (address: string, init: FetchInit = {}): Promise<Response> => {
    const url = new URL(address);
    const tls = url.protocol === "https:";
    if (!tls && !(privateAddresses && url.protocol === "http:")) throw new Error(`${url.origin}: expected https`);
    if (url.username !== "" || url.password !== "") throw new Error(`${url.origin}: expected no user in the address`);
    const { body } = init;
    const bytes = body === undefined || body === null ? undefined : Buffer.from(body instanceof Uint8Array ? body : String(body));
    const answer = await outsideRequest(url, {
      may: mayAsk(privateAddresses, tls),
      method: init.method ?? "GET",
      headers: Object.fromEntries(new Headers(init.headers as ConstructorParameters<typeof Headers>[0])),
      signal: AbortSignal.any([AbortSignal.timeout(timeout_ms), ...(init.signal ? [init.signal] : [])]),
      agent: false,
      ...(bytes && { body: bytes }),
    });
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of answer as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxAnswer) throw new Error(`${url.host} answers more than ${maxAnswer} bytes`);
      parts.push(part);
    }
    const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    );
    const status = answer.statusCode ?? 502;
    const empty = status === 204 || status === 304;
    return new Response(empty ? null : Buffer.concat(parts), { status, headers });
  };
}
