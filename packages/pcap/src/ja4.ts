/** FoxIO's JA4 of a TLS client (its first letter of the family, which is free under BSD-3): steady where a browser shuffles its extensions. Knows no program. */
import { hash } from "node:crypto";

export interface Offered {
  /** As the hello says, and as its list of versions does. */
  readonly version: number;
  readonly versions: readonly number[];
  readonly ciphers: readonly number[];
  /** In the order sent. */
  readonly extensions: readonly number[];
  readonly signatures: readonly number[];
  /** The first protocol asked for. */
  readonly protocol: string | undefined;
}

const shown: ReadonlyMap<number, string> = new Map([
  [0x0300, "s3"],
  [0x0301, "10"],
  [0x0302, "11"],
  [0x0303, "12"],
  [0x0304, "13"],
]);
const name = 0x0000;
const protocols = 0x0010;

/** RFC 8701: values that are sent so that nobody relies on the list. */
export const grease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);

/** Of a connection over TCP. */
export function ja4Of(hello: Offered): string {
  const [ciphers, extensions, versions] = [hello.ciphers, hello.extensions, hello.versions].map((all) => all.filter((n) => !grease(n)));
  const version = shown.get(Math.max(...(versions!.length > 0 ? versions! : [hello.version]))) ?? "00";
  const asked = extensions!.includes(name) ? "d" : "i";
  const others = hexes(extensions!.filter((n) => n !== name && n !== protocols)).sort();
  const signatures = hexes(hello.signatures.filter((n) => !grease(n)));
  const last = [others.join(","), ...(signatures.length > 0 ? [signatures.join(",")] : [])].join("_");
  return `t${version}${asked}${two(ciphers!.length)}${two(extensions!.length)}${ends(hello.protocol)}_${digest(hexes(ciphers!).sort().join(","))}_${digest(others.length === 0 ? "" : last)}`;
}

const hexes = (numbers: readonly number[]): string[] => numbers.map((n) => n.toString(16).padStart(4, "0"));
const two = (count: number): string => String(Math.min(99, count)).padStart(2, "0");
const digest = (text: string): string => (text === "" ? "0".repeat(12) : hash("sha256", text).slice(0, 12));

/** First and last character, of its bytes in hexadecimal where one of them is no letter or digit. */
function ends(protocol: string | undefined): string {
  if (protocol === undefined || protocol === "") return "00";
  const of = (text: string) => text[0]! + text.at(-1)!;
  return /^[a-z\d]$/i.test(protocol[0]!) && /^[a-z\d]$/i.test(protocol.at(-1)!)
    ? of(protocol)
    : of(Buffer.from(protocol, "latin1").toString("hex"));
}
