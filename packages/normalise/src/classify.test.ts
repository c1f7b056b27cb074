/** Classes and hosts come from fields alone, and every set of fields has one. */
import { newFields } from "@vedette/kit";
import { eventClasses, type Fields } from "@vedette/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { classOf, hostOf } from "./index.ts";

const fields = (of: { [name: string]: string | string[] }): Fields => Object.assign(newFields(), of);

test.each([
  ["authentication", { "event.category": "authentication", "event.module": "linux" }],
  ["authentication", { "event.category": ["network", "authentication"], "event.module": "zeek" }],
  ["cloud", { "event.module": "aws", "event.category": "iam" }],
  ["process", { "event.category": ["process"], "event.module": "auditd" }],
  ["network", { "event.category": ["network", "web"], "event.module": "zeek" }],
  ["web", { "event.category": "web", "event.module": "nginx" }],
  ["audit", { "event.category": "host", "event.module": "auditd" }],
  ["audit", { "event.category": "iam", "event.module": "linux" }],
  ["network", { "event.category": "network", "event.module": "linux" }],
  ["host", { "event.category": "session", "event.module": "linux" }],
  ["host", { "event.module": "linux" }],
  ["other", { message: "x" }],
] as const)("%s: %j", (expected, given) => expect(classOf(fields(given as { [name: string]: string | string[] }))).toBe(expected));

test("any categories have a class", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.array(fc.string())), fc.string(), (category, module) => {
      expect(eventClasses).toContain(classOf(fields({ "event.category": category, "event.module": module })));
    }),
  );
});

test("the host is the one named, then the sensor, the sender, the source", () => {
  expect(hostOf(fields({ "host.name": "web1", "observer.name": "s" }), "192.0.2.1", "syslog")).toBe("web1");
  expect(hostOf(fields({ "host.name": "", "observer.name": "s" }), "192.0.2.1", "syslog")).toBe("s");
  expect(hostOf(fields({}), "192.0.2.1", "syslog")).toBe("192.0.2.1");
  expect(hostOf(fields({}), undefined, "syslog")).toBe("syslog");
  expect(hostOf(fields({ "host.name": "x".repeat(1000) }), undefined, "syslog")).toHaveLength(255);
});
