import { expect, it } from "vitest";
import { formOf, grantOf, grantText } from "./grants.ts";

it("goes from a grant to the form and back, and keeps the tenant that the form does not show", () => {
  const grant = { role: "viewer", tenant: "lab", rows: "host.name:login*", masks: ["user.name", "source.*"] } as const;
  expect(grantOf(formOf(grant), grant)).toEqual(grant);
  expect(grantOf({ role: "admin", rows: "  ", masks: " , " })).toEqual({ role: "admin" });
});

it("says what a grant is in one line", () => {
  expect(grantText({ role: "viewer", tenant: "main", rows: "a:b", masks: ["x"] })).toBe("viewer, only a:b, without x");
  expect(grantText({ role: "admin", tenant: "lab" })).toBe("admin of lab");
});
