import { expect, it } from "vitest";
import { auditFilter, auditQuery } from "./audit_filter.tsx";

const of = (search: string) => auditQuery(auditFilter(new URLSearchParams(search)), Date.UTC(2026, 10, 22));

it("asks for what the address says, and for nothing that the server would refuse", () => {
  expect(of("")).toEqual({ user: undefined, action: undefined, outcome: undefined, from: undefined });
  expect(of("user=ann&action=rule*&outcome=failure&since=24h")).toEqual({
    user: "ann",
    action: "rule*",
    outcome: "failure",
    from: "2026-11-21T00:00:00.000Z",
  });
  expect(of("outcome=__proto__&since=constructor")).toEqual({ user: undefined, action: undefined, outcome: undefined, from: undefined });
});
