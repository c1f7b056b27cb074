import { describe, expect, it } from "vitest";
import { addFilter, completeField, entityQuery, filterPart, filterTerm, pipeAt, quoteValue, splitAt } from "./query.ts";

describe("quoteValue", () => {
  it("quotes what the language would read otherwise", () => {
    expect(["web-1", "10.0.0.1", "a b", 'say "hi"', "c:\\x", "and", "*", "2001:db8::1"].map(quoteValue)).toEqual([
      "web-1",
      "10.0.0.1",
      '"a b"',
      '"say \\"hi\\""',
      '"c:\\\\x"',
      '"and"',
      '"*"',
      '"2001:db8::1"',
    ]);
  });
});

describe("addFilter", () => {
  it("starts, continues and negates", () => {
    expect(addFilter("", "user.name", "root")).toBe("user.name:root");
    expect(addFilter("a:b", "user.name", "root")).toBe("a:b and user.name:root");
    expect(addFilter("a:b", "user.name", "root", true)).toBe("a:b and not user.name:root");
  });

  it("does not repeat itself", () => {
    expect(addFilter("a:b and user.name:root", "user.name", "root")).toBe("a:b and user.name:root");
  });

  it("keeps the meaning of an or, and the pipes at the end", () => {
    expect(addFilter("a:b or c:d", "x", "1")).toBe("(a:b or c:d) and x:1");
    expect(addFilter("(a:b or c:d)", "x", "1")).toBe("(a:b or c:d) and x:1");
    expect(addFilter('a:"this or that"', "x", "1")).toBe('a:"this or that" and x:1');
    expect(addFilter("a:b | stats count() by x", "x", "1")).toBe("a:b and x:1 | stats count() by x");
  });

  it("takes the first of several values", () => {
    expect(filterTerm("event.category", ["process", "network"])).toBe("event.category:process");
  });
});

it("finds the pipe outside quotes", () => {
  expect(pipeAt('message:"a | b" | stats count()')).toBe(16);
  expect(pipeAt('message:"a \\" | b"')).toBe(-1);
  expect(filterPart("a:b | head 3")).toBe("a:b");
});

describe("completeField", () => {
  const fields = ["source.ip", "source.port", "destination.ip", "user.name"];

  it("offers fields that start with the word before those that contain it", () => {
    expect(completeField("user.name:root and ip", 21, [...fields, "ip.version"])?.fields).toEqual([
      "ip.version",
      "source.ip",
      "destination.ip",
    ]);
    expect(completeField("sou", 3, fields)).toEqual({ from: 0, to: 3, fields: ["source.ip", "source.port"] });
  });

  it("is silent in values, in quotes and in the middle of a word", () => {
    expect(completeField("user.name:sou", 13, fields)).toBeUndefined();
    expect(completeField('message:"sou', 12, fields)).toBeUndefined();
    expect(completeField("sou", 2, fields)).toBeUndefined();
    expect(completeField("", 0, fields)).toBeUndefined();
  });
});

it("knows the fields of entities", () => {
  expect(entityQuery({ type: "host", id: "web-1" })).toBe("host.name:web-1");
  expect(entityQuery({ type: "source.ip", id: "::1" })).toBe('source.ip:"::1"');
});

it("splits a text at a place, inside its bounds", () => {
  expect(splitAt("user=root", 4, 1)).toEqual({ before: "user", marked: "=", after: "root" });
  expect(splitAt("user", 9, 3)).toEqual({ before: "user", marked: "", after: "" });
});
