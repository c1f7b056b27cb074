import { isIP, isIPv6 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isSixth, plainIp } from "./peer.ts";

const anyAddress = fc.oneof(
  fc.ipV6(),
  fc.ipV4(),
  fc
    .array(fc.constantFrom(":", "::", "0", "1", "ffff", "abcde", "1.2.3.4", "1.2.3", ".", "01", "256", "g"), { maxLength: 12 })
    .map((parts) => parts.join("")),
  fc.array(fc.constantFrom("0", "a1", "FFFF", ""), { minLength: 1, maxLength: 10 }).map((parts) => parts.join(":")),
);

test("an address is one where Node's pattern says so", () => {
  fc.assert(
    fc.property(anyAddress, (text) => {
      expect(isSixth(text)).toBe(isIPv6(text));
      if (!text.toLowerCase().startsWith("::ffff:")) expect(plainIp(text)).toBe(isIP(text) === 0 ? undefined : text);
    }),
    { numRuns: 3_000 },
  );
});
