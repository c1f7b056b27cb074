import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keepZone, linkPart, parseList, patchSearch, safeNext } from "./search.ts";

describe("linkPart", () => {
  it("takes any text, also half of a surrogate pair, and leads nowhere else", () => {
    expect(linkPart("a/b ü")).toBe("a%2Fb%20%C3%BC");
    expect(linkPart("\ud800x")).toBe(linkPart("\ufffdx"));
  });
});

describe("patchSearch", () => {
  it("changes, adds and removes, and keeps the rest", () => {
    expect(patchSearch("?q=a&z=utc", { q: "b", t: "1h" })).toBe("?q=b&z=utc&t=1h");
    expect(patchSearch("?q=a&z=utc", { q: undefined, z: "" })).toBe("");
  });

  it("stays readable", () => {
    expect(patchSearch("", { q: "host.name:web-1", state: "open,closed" })).toBe("?q=host.name:web-1&state=open,closed");
  });

  it("gives back exactly what was put in", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.string({ unit: "grapheme", minLength: 1 }), (q, f) => {
        const params = new URLSearchParams(patchSearch("?t=1h", { q, f }));
        expect([params.get("q"), params.get("f"), params.get("t")]).toEqual([q, f, "1h"]);
      }),
    );
  });
});

it("reads lists in the allowed order and drops the rest", () => {
  expect(parseList("closed,open,<b>", ["open", "acknowledged", "closed"])).toEqual(["open", "closed"]);
  expect(parseList(null, ["open"])).toBeUndefined();
});

it("keeps the time zone in links within the console", () => {
  expect(keepZone("/alerts?state=open", "?z=utc&q=x")).toBe("/alerts?state=open&z=utc");
  expect(keepZone("/alerts", "?q=x")).toBe("/alerts");
});

it("returns after login only to this server", () => {
  expect(safeNext("/alerts/1?z=utc")).toBe("/alerts/1?z=utc");
  for (const bad of [
    null,
    "",
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "/login?next=/",
    "/\t/evil",
  ]) {
    expect(safeNext(bad)).toBe("/");
  }
});
