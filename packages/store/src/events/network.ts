/** Membership of an address text in a network, as SQL over text. Knows no column. */

import { isIP } from "node:net";
import { BadInputError } from "@vedette/kit";

const octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

/** A pattern for the decimal numbers from `from` to `to`, both within 0 to 255. */
function octetRange(from: number, to: number): string {
  if (from === 0 && to === 255) return octet;
  const all: string[] = [];
  for (let n = from; n <= to; n++) all.push(String(n));
  return `(${all.join("|")})`;
}

/** RE2 pattern of the IPv4 addresses (no leading zeros) of a network. */
function ipv4Pattern(address: number, bits: number): string {
  const parts: string[] = [];
  for (let i = 0; i < 4; i++) {
    const value = (address >>> (24 - 8 * i)) & 255;
    const fixed = Math.max(0, Math.min(8, bits - 8 * i));
    const span = 1 << (8 - fixed);
    const from = value - (value % span);
    parts.push(octetRange(from, from + span - 1));
  }
  return parts.join("\\.");
}

/** The eight groups of an IPv6 address that `isIP` accepted, as 32 hex digits. */
function hexOf(text: string): string {
  const zone = text.indexOf("%");
  let plain = zone < 0 ? text : text.slice(0, zone);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  if (dotted !== null) {
    const [a, b, c, d] = dotted.slice(2).map(Number) as [number, number, number, number];
    plain = `${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [left = "", right] = plain.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const gap = right === undefined ? [] : new Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...gap, ...tail]
    .map((group) => group.padStart(4, "0"))
    .join("")
    .toLowerCase();
}

const mappedPrefix = "00000000000000000000ffff";

const groupsOf = (part: string) => `CASE WHEN ${part} = '' THEN CAST([] AS VARCHAR[]) ELSE string_split(${part}, ':') END`;
const number = (at: number) => `CAST(split_part(regexp_extract(t, '[0-9.]+$'), '.', ${at}) AS INTEGER)`;
/** Text `t`: a dotted tail as two groups. */
const undotted = `CASE WHEN regexp_full_match(t, '.*:${octet}\\.${octet}\\.${octet}\\.${octet}')
  THEN regexp_extract(t, '^(.*:)[0-9.]+$', 1) || printf('%x:%x', ${number(1)} * 256 + ${number(2)}, ${number(3)} * 256 + ${number(4)}) ELSE t END`;
/** Halves `h` around `::`: the groups, the gap filled; NULL where there is more than one gap or nothing to fill. */
const widened = `CASE WHEN len(h) = 1 THEN string_split(h[1], ':')
  WHEN len(h) = 2 AND len(${groupsOf("h[1]")}) + len(${groupsOf("h[2]")}) <= 7 THEN list_concat(${groupsOf("h[1]")},
    list_resize(CAST([] AS VARCHAR[]), 8 - len(${groupsOf("h[1]")}) - len(${groupsOf("h[2]")}), '0'), ${groupsOf("h[2]")}) END`;
/** Groups `g` as 32 digits. */
const digits = `CASE WHEN len(g) = 8 AND len(list_filter(g, lambda p: NOT regexp_full_match(p, '[0-9a-f]{1,4}'))) = 0
  THEN array_to_string(list_transform(g, lambda p: lpad(p, 4, '0')), '') END`;

/**
 * SQL definitions the tests rely on, run once per instance: `v_ipv6(text)` is an IPv6 address as 32 hex digits, NULL for any other text.
 * The steps are lambdas over one-element lists because a macro repeats its argument wherever it is named, and steps of macros would grow
 * exponentially.
 */
export const networkMacros: readonly string[] = [
  `CREATE MACRO v_ipv6(x) AS CASE WHEN contains(x, ':') AND length(x) <= 64 THEN
    list_transform(list_transform(list_transform([lower(split_part(x, '%', 1))],
      lambda t: string_split(${undotted}, '::')), lambda h: ${widened}), lambda g: ${digits})[1] END`,
];

/** A test of a text `x` against a network such as `10.0.0.0/8`; an address mapped into IPv6 counts as the IPv4 address. */
export function networkTest(network: string, bind: (value: string) => string): (x: string) => string {
  const slash = network.indexOf("/");
  const address = slash < 0 ? network : network.slice(0, slash);
  const written = slash < 0 ? undefined : network.slice(slash + 1);
  const version = isIP(address);
  const refuse = () => new BadInputError("query_invalid", `${network.slice(0, 100)} is not a network such as 10.0.0.0/8 or 2001:db8::/32`);
  if (version === 0 || (written !== undefined && !/^\d{1,3}$/.test(written))) throw refuse();
  const hex =
    version === 6
      ? hexOf(address)
      : mappedPrefix +
        address
          .split(".")
          .map((part) => Number(part).toString(16).padStart(2, "0"))
          .join("");
  const v4 = hex.startsWith(mappedPrefix);
  const bits = written === undefined ? 128 : Number(written) + (version === 4 ? 96 : 0);
  if (bits > 128 || (v4 && bits < 96)) throw refuse();
  const value = BigInt(`0x${hex}`);
  const host = (1n << BigInt(128 - bits)) - 1n;
  const low = bind((value & ~host).toString(16).padStart(32, "0"));
  const high = bind((value | host).toString(16).padStart(32, "0"));
  const within = (x: string) => `(v_ipv6(${x}) BETWEEN ${low} AND ${high})`;
  if (!v4) return (x) => `(${within(x)} AND (v_ipv6(${x}) < '${mappedPrefix}' OR v_ipv6(${x}) > '${mappedPrefix}g'))`;
  const pattern = bind(ipv4Pattern(Number(value & 0xffffffffn), bits - 96));
  return (x) => `(regexp_full_match(${x}, ${pattern}) OR ${within(x)})`;
}
