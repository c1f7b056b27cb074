/** Networks as detectors' settings write them, and what an address belongs to. Knows no detector. */
import { inNetwork, type Network, parseAddress, parseNetwork, privateNetworks } from "@vedette/condition";
import { z } from "@vedette/kit";
import type { Fields } from "@vedette/model";

/** `10.0.0.0/8`, `2001:db8::/32` or a lone address, in a configuration. */
export const network = z.string().transform((text, context): Network => {
  const parsed = parseNetwork(text);
  if (parsed) return parsed;
  context.addIssue({ code: "custom", message: `"${text}" is not a network; expected for example "10.0.0.0/8" or "2001:db8::/32"` });
  return z.NEVER;
});

/** The setting of detectors that tell inside from outside. */
export const internal = z
  .array(network)
  .max(1_000)
  .prefault(privateNetworks)
  .describe(
    "Networks that are ours; by default the private ranges (RFC 1918, RFC 6598, RFC 4193). A site with public addresses adds its own.",
  );

/** Answers for addresses asked lately: the same few thousand turn up in every batch. */
const answers = new WeakMap<readonly Network[], Map<string, boolean>>();
const maxAnswers = 8_192;

/** Whether an address lies in one of the networks; false for what is no address. */
export function within(text: string, networks: readonly Network[]): boolean {
  if (networks.length === 0) return false;
  let known = answers.get(networks);
  const before = known?.get(text);
  if (before !== undefined) return before;
  if (!known || known.size >= maxAnswers) {
    known = new Map();
    answers.set(networks, known);
  }
  const address = parseAddress(text);
  const is = address !== undefined && networks.some((one) => inNetwork(address, one));
  known.set(text, is);
  return is;
}

/** Whether a connection begins with us: by the networks that are ours, or because the sensor, which has a list of its own, says so. */
export const isOurs = (fields: Fields, from: string, internal: readonly Network[]): boolean =>
  fields["zeek.conn.local_orig"] === true || within(from, internal);

/** Whether a connection comes from outside to us: not whether either end is a stranger, where nobody said which networks are ours. */
export const isInbound = (fields: Fields, from: string, to: string, internal: readonly Network[]): boolean =>
  !isOurs(fields, from, internal) && (fields["zeek.conn.local_resp"] === true || within(to, internal));

/** Whether a connection goes to a host of ours. */
export const isAmongUs = (fields: Fields, to: string, internal: readonly Network[]): boolean =>
  fields["zeek.conn.local_resp"] === true || within(to, internal);

/** Multicast, broadcast and unspecified addresses: nobody in particular is there (RFC 5771, RFC 4291 section 2.7, RFC 919). Only looks at the text: it is asked for every connection. */
export function isGroup(text: string): boolean {
  const first = text.charCodeAt(0);
  if (first === 0x66 || first === 0x46) return /^ff[0-9a-f]{2}:/i.test(text);
  if (text.charCodeAt(3) === 0x2e && first === 0x32) return text >= "224.";
  return text === "0.0.0.0" || text === "::";
}

/** The /24 (IPv4) or /48 (IPv6, what a site is usually given: RFC 6177) around an address; undefined for what is no address. */
export function neighbourhood(text: string): string | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  const [a, b, , d] = address.words;
  if (address.v4) return `${d >>> 24}.${(d >>> 16) & 255}.${(d >>> 8) & 255}.0/24`;
  const group = (word: number) => (word & 0xffff).toString(16);
  return `${group(a >>> 16)}:${group(a)}:${group(b >>> 16)}::/48`;
}
