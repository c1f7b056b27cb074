/** JA4 of a hello as FoxIO's description of it works it out. */
import { expect, test } from "vitest";
import { ja4Of } from "./ja4.ts";

const numbers = (text: string) => text.split(",").map((n) => Number.parseInt(n, 16));
/** The example of FoxIO's technical description, with the values that say nothing (GREASE) left in. */
const browser = {
  version: 0x0303,
  versions: numbers("8a8a,0304,0303"),
  ciphers: numbers("1a1a,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"),
  extensions: numbers("2a2a,001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015,3a3a"),
  signatures: numbers("0403,0804,0401,0503,0805,0501,0806,0601"),
  protocol: "h2",
};

test("the worked example", () => {
  expect(ja4Of(browser)).toBe("t13d1516h2_8daaf6152771_e5627efa2ab1");
});

test("the order of ciphers and extensions says nothing, that of signatures does", () => {
  expect(ja4Of({ ...browser, ciphers: browser.ciphers.toReversed(), extensions: browser.extensions.toReversed() })).toBe(ja4Of(browser));
  expect(ja4Of({ ...browser, signatures: browser.signatures.toReversed() })).not.toBe(ja4Of(browser));
});

test("what is not there has zeros", () => {
  const bare = { version: 0x0301, versions: [], ciphers: [], extensions: [], signatures: [], protocol: undefined };
  expect(ja4Of(bare)).toBe("t10i000000_000000000000_000000000000");
  expect(ja4Of({ ...bare, extensions: [0x000a], protocol: "\u00ab1\u00cd" }).slice(0, 10)).toBe("t10i0001ad");
});
