import fc from "fast-check";
import { expect, test } from "vitest";
import { decodedUrl } from "./decoded.ts";

test.each([
  ["/a?q=1%27+OR+%271%27%3D%271", "/a?q=1' OR '1'='1"],
  ["/a?q=%253Cscript%253E", "/a?q=<script>"],
  ["/a?q=%u003cscript%u003e", "/a?q=<script>"],
  ["/a?q=\\x22onload=\\xC3\\xA4", '/a?q="onload=ä'],
  ["/a?q=&#x6a;&#97;va&colon;x", "/a?q=java:x"],
  ["/a?id=1/**/uNiOn/*x*/select/*!50000 1*/", "/a?id=1 uNiOn select  1 "],
  ["/%c0%ae%c0%ae%c0%afetc", "/../etc"],
  ["/a?q=%ac%0a%f0", "/a?q=\ufffd\n\ufffd"],
  ["/caf%C3%A9+au+lait", "/café+au+lait"],
  ["/a?q=x%00y", "/a?q=xy"],
  ["/a?q=%ZZ%4", undefined],
  ["/plain/path?id=1&page=2", undefined],
])("%s", (original, decoded) => {
  expect(decodedUrl(original)).toBe(decoded);
});

test("anything is decoded without a throw, in bounded length", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("%", "2", "5", "u", "\\x", "&#", ";", "/*", "*/", "+", "?", "a", "\ud800", "0") }),
      (text) => {
        const decoded = decodedUrl(text);
        expect(decoded === undefined || decoded.length <= text.length).toBe(true);
      },
    ),
  );
});
