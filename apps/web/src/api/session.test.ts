import { expect, it } from "vitest";
import { maySee } from "./session.ts";

const permissions = ["alerts:read", "rules:read", "sources:read"];

it("shows what is permitted, and of limited roles only what can be cut to them", () => {
  const whole = { permissions, grants: [{ role: "viewer" }, { role: "viewer", rows: "a:b" }] } as const;
  const limited = { permissions, grants: [{ role: "viewer", masks: ["user.name"] }] } as const;
  expect(permissions.map((one) => maySee(whole, one))).toEqual([true, true, true]);
  expect(permissions.map((one) => maySee(limited, one))).toEqual([true, true, false]);
  expect([maySee(whole, "rules:read", true), maySee(limited, "rules:read", true)]).toEqual([true, false]);
  expect(maySee(whole, "users:read")).toBe(false);
});
