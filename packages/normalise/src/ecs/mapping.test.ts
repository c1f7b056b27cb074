/** Declared mappings give each field its type, follow paths into arrays, and let nobody reach what is not the document's. */
import type { JsonObject } from "@vedette/kit";
import { newFields } from "@vedette/kit";
import { expect, test } from "vitest";
import { compileMapping, type Mapping, putField } from "./mapping.ts";
import { relate } from "./related.ts";

const mapped = (mapping: Mapping, object: unknown) => {
  const fields = newFields();
  compileMapping(mapping)(object as JsonObject, fields);
  return { ...fields };
};

test("addresses lose port, brackets and IPv4 mapping; what is none is kept as told", () => {
  const ip = (value: unknown) => mapped({ "source.ip": "a" }, { a: value });
  expect(ip("192.0.2.1:4242")).toEqual({ "source.ip": "192.0.2.1" });
  expect(ip("[2001:db8::1]:443")).toEqual({ "source.ip": "2001:db8::1" });
  expect(ip("::ffff:192.0.2.1")).toEqual({ "source.ip": "192.0.2.1" });
  expect(ip("2001:db8::1:443")).toEqual({ "source.ip": "2001:db8::1:443" });
  expect(ip("gce-internal-ip")).toEqual({ "source.address": "gce-internal-ip" });
  expect(ip(["192.0.2.1", "x", 7])).toEqual({ "source.ip": "192.0.2.1" });
  for (const none of ["", "-", null, 7, {}, []]) expect(ip(none)).toEqual({});
});

test("numbers are numbers, keywords texts; the first path with a value counts", () => {
  expect(mapped({ "source.port": ["a", "b"] }, { a: "", b: "443" })).toEqual({ "source.port": 443 });
  expect(mapped({ "source.port": ["a", "b"] }, { a: "x", b: 0 })).toEqual({ "source.port": 0 });
  expect(mapped({ "user.id": ["a"] }, { a: 0 })).toEqual({ "user.id": "0" });
  expect(mapped({ "tls.established": "a" }, { a: false })).toEqual({ "tls.established": false });
  expect(mapped({ "source.bytes": "a" }, { a: Number.POSITIVE_INFINITY })).toEqual({});
});

test("paths go through arrays by number or through all members, and meet keys with dots", () => {
  const object = { a: [{ b: 1 }, { b: [2, 3] }, 7], "x.y": { z: 4 }, p: { "q.r": 5 } };
  expect(mapped({ f: "a.b" }, object)).toEqual({ f: ["1", "2", "3"] });
  expect(mapped({ f: "a.0.b" }, object)).toEqual({ f: "1" });
  expect(mapped({ f: "p.q.r" }, object)).toEqual({ f: "5" });
  expect(mapped({ f: "a.9.b", g: "constructor.name", h: "__proto__.x" }, object)).toEqual({});
});

test("long lists end", () => {
  const found = mapped({ f: "a.b" }, { a: Array.from({ length: 5_000 }, (_, b) => ({ b })) })["f"];
  expect((found as unknown[]).length).toBe(256);
});

test("related fields name each address, user and hash once", () => {
  const fields = newFields();
  putField(fields, "source.ip", "192.0.2.1");
  putField(fields, "destination.ip", "192.0.2.1");
  putField(fields, "user.name", ["ada", "bob"]);
  putField(fields, "user.target.name", "bob");
  putField(fields, "file.hash.sha256", "ab");
  relate(fields);
  expect([fields["related.ip"], fields["related.user"], fields["related.hash"], fields["related.hosts"]]).toEqual([
    ["192.0.2.1"],
    ["ada", "bob"],
    ["ab"],
    undefined,
  ]);
});
