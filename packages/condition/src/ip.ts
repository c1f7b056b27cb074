/** IPv4 and IPv6 addresses and networks as numbers, parsed in one pass. Knows no event. */

/** An address as four 32-bit words; IPv4 (and IPv4 mapped into IPv6) in the last word with `v4` set. */
export interface Address {
  readonly v4: boolean;
  readonly words: readonly [number, number, number, number];
}
export interface Network extends Address {
  /** Length in bits: 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly bits: number;
}

/** Dotted quad to an unsigned 32-bit number, or -1. No leading zeros: some read them as octal. */
function parseIpv4(text: string, start = 0, end = text.length): number {
  if (end - start < 7 || end - start > 15) return -1;
  let value = 0;
  let part = -1;
  let parts = 0;
  for (let i = start; i <= end; i++) {
    const code = i === end ? 46 : text.charCodeAt(i);
    if (code === 46) {
      if (part < 0 || ++parts > 4) return -1;
      value = value * 256 + part;
      part = -1;
    } else if (code >= 48 && code <= 57) {
      if (part === 0) return -1;
      part = part < 0 ? code - 48 : part * 10 + code - 48;
      if (part > 255) return -1;
    } else return -1;
  }
  return parts === 4 ? value : -1;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const low = code | 32;
  return low >= 97 && low <= 102 ? low - 87 : -1;
}

/** RFC 4291 section 2.2 text to eight 16-bit groups; a zone (`%eth0`) is ignored. */
function parseGroups(text: string): number[] | undefined {
  const zone = text.indexOf("%");
  const end = zone < 0 ? text.length : zone;
  if (end < 2 || end > 45) return undefined;
  const groups: number[] = [];
  let gap = -1;
  let i = 0;
  if (text.charCodeAt(0) === 58) {
    if (text.charCodeAt(1) !== 58) return undefined;
    gap = 0;
    i = 2;
  }
  while (i < end) {
    if (groups.length > 7) return undefined;
    const from = i;
    let value = 0;
    for (let digit = hexDigit(text.charCodeAt(i)); i < end && digit >= 0; digit = hexDigit(text.charCodeAt(i))) {
      value = value * 16 + digit;
      // longer is refused below; stopping here keeps the number small
      if (++i - from > 4) return undefined;
    }
    if (i < end && text.charCodeAt(i) === 46) {
      const v4 = parseIpv4(text, from, end);
      if (v4 < 0 || groups.length > 6) return undefined;
      groups.push(v4 >>> 16, v4 & 0xffff);
      i = end;
      break;
    }
    if (i === from || i - from > 4) return undefined;
    groups.push(value);
    if (i === end) break;
    if (text.charCodeAt(i) !== 58 || ++i === end) return undefined;
    if (text.charCodeAt(i) === 58) {
      if (gap >= 0) return undefined;
      gap = groups.length;
      i++;
    }
  }
  if (gap < 0) return groups.length === 8 ? groups : undefined;
  if (groups.length > 7) return undefined;
  return [...groups.slice(0, gap), ...new Array<number>(8 - groups.length).fill(0), ...groups.slice(gap)];
}

/** Reads an address; `::ffff:10.0.0.1` is the IPv4 address it carries. Undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 64) return undefined;
  const v4 = parseIpv4(text);
  if (v4 >= 0) return { v4: true, words: [0, 0, 0, v4 | 0] };
  if (!text.includes(":")) return undefined;
  const groups = parseGroups(text);
  if (groups === undefined) return undefined;
  const word = (i: number) => (groups[i]! << 16) | groups[i + 1]! | 0;
  const words = [word(0), word(2), word(4), word(6)] as const;
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) return { v4: true, words: [0, 0, 0, words[3]] };
  return { v4: false, words };
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a lone address. Host bits are allowed and ignored. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const written = slash < 0 ? undefined : text.slice(slash + 1);
  if (written !== undefined && !/^\d{1,3}$/.test(written)) return undefined;
  // a network mapped into IPv6 counts its bits from the 96th
  const mapped = address.v4 && text.includes(":");
  const bits = written === undefined ? (address.v4 ? 32 : 128) : Number(written) - (mapped ? 96 : 0);
  if (bits < 0 || bits > (address.v4 ? 32 : 128)) return undefined;
  return { ...address, bits };
}

const maskOf = (bits: number) => (bits <= 0 ? 0 : bits >= 32 ? -1 : ~(0xffffffff >>> bits));

/** RFC 1918, RFC 6598, RFC 4193, loopback and link-local: what is ours unless somebody says otherwise. */
export const privateNetworks: string[] = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
  "::1/128",
];

/** Whether an address lies in a network; IPv4 and IPv6 never contain each other. */
export function inNetwork(address: Address, network: Network): boolean {
  if (address.v4 !== network.v4) return false;
  const from = network.v4 ? 3 : 0;
  for (let i = from; i < 4; i++) {
    const mask = maskOf(network.bits - (i - from) * 32);
    if (((address.words[i]! ^ network.words[i]!) & mask) !== 0) return false;
  }
  return true;
}

/** A prepared test of a text against a network; IPv4 allocates nothing. */
export function networkTest(network: Network): (text: string) => boolean {
  if (!network.v4)
    return (text) => {
      const address = parseAddress(text);
      return address !== undefined && inNetwork(address, network);
    };
  const mask = maskOf(network.bits);
  const base = network.words[3] & mask;
  return (text) => {
    const v4 = parseIpv4(text);
    if (v4 >= 0) return (v4 & mask) === base;
    if (text.charCodeAt(0) !== 58 && text.charCodeAt(0) !== 48) return false;
    const address = parseAddress(text);
    return address?.v4 === true && (address.words[3] & mask) === base;
  };
}
