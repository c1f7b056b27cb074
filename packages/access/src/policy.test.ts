import fc from "fast-check";
import { expect, test } from "vitest";
import { explain } from "./explain.ts";
import { permissions, type Role, roles } from "./permission.ts";
import { grantsFor, maskProblem, mayFully, permissionsOf, readRows, viewOf } from "./policy.ts";
import { admin, type Grant, type Principal } from "./principal.ts";

const user = (...grants: readonly Grant[]): Principal => ({ kind: "user", id: "u1", name: "ann", grants, by: "session" });
const shared: Principal = { kind: "shared", name: "admin", grants: admin };
const source: Principal = { kind: "source", source: "s", token: "t" };
const names = Object.keys(roles) as Role[];

test("each role holds what its list says and nothing else; without a grant, nothing", () => {
  for (const role of names)
    expect(permissionsOf(user({ role }))).toEqual(permissions.filter((one) => (roles[role] as readonly string[]).includes(one)));
  expect(permissionsOf(user())).toEqual([]);
  expect(permissionsOf(user({ role: "wizard" as Role }))).toEqual([]);
  expect(permissionsOf(source)).toEqual([]);
  expect(permissionsOf({ kind: "machine", id: "m", role: "agent" })).toEqual(["machines:read"]);
});

test("a shared token is an administrator who can neither request nor approve an action", () => {
  expect(permissions.filter((one) => !permissionsOf(shared).includes(one))).toEqual(["actions:request", "actions:approve"]);
  expect(permissionsOf(user({ role: "admin" }))).toEqual(permissions);
  expect(explain(shared, "actions:approve").because[0]).toContain("sign in by name");
});

test("a key does what its scope says and its owner may, at the moment of use", () => {
  const key = (grants: readonly Grant[]): Principal => ({
    kind: "user",
    id: "u1",
    name: "ann",
    grants,
    by: "key",
    scope: ["alerts:read", "rules:write"],
  });
  expect(permissionsOf(key([{ role: "viewer" }]))).toEqual(["alerts:read"]);
  expect(permissionsOf(key([{ role: "engineer" }]))).toEqual(["alerts:read", "rules:write"]);
  expect(permissionsOf(key([]))).toEqual([]);
  fc.assert(
    fc.property(fc.subarray(names), fc.subarray([...permissions]), (held, scope) => {
      const grants = held.map((role) => ({ role }));
      const may = permissionsOf({ kind: "user", id: "u", name: "u", grants, by: "key", scope });
      expect(may.every((one) => scope.includes(one) && permissionsOf(user(...grants)).includes(one))).toBe(true);
    }),
  );
});

test("a grant counts in its tenant only", () => {
  const ann = user({ role: "viewer", tenant: "north" });
  expect(grantsFor(ann, "alerts:read")).toEqual([]);
  expect(grantsFor(ann, "alerts:read", "north")).toHaveLength(1);
  expect(explain(ann, "alerts:read").because[0]).toContain("for north, not for main");
});

test("one grant without limits lifts the limits of the others; rows that do not read let nothing through", () => {
  const limited: Grant = { role: "viewer", rows: "site:a" };
  expect(viewOf([limited, { role: "analyst" }])).toBeUndefined();
  expect(viewOf([limited, { role: "viewer", masks: ["user.*"] }])).toEqual({
    parts: [
      { rows: { op: "eq", field: "site", value: "a" }, masks: [] },
      { rows: { op: "and", of: [] }, masks: ["user.*"] },
    ],
  });
  expect(viewOf([{ role: "viewer", rows: "site:(" }])).toEqual({ parts: [{ rows: { op: "or", of: [] }, masks: [] }] });
  expect(mayFully(user(limited), "alerts:read")).toBe(false);
  // the limited grant is the viewer's; an engineer's rights reach everything only where the engineer's grant does
  expect(mayFully(user(limited, { role: "engineer" }), "alerts:read")).toBe(true);
});

test("rows and masks that would not do what they say are refused", () => {
  expect(readRows("host.name:login* AND NOT user.name:root")).toHaveProperty("rows");
  for (const [text, word] of [
    ["site:a | head 5", "pipes"],
    ["intruder", "without a field"],
    ["not (site:a or intruder)", "without a field"],
    ["@timestamp > 5", "@timestamp"],
    ["site:(", "at "],
    ["site:/(a+)+$(?=b)/", ""],
  ] as const)
    expect(readRows(text)).toMatchObject({ problem: expect.stringContaining(word) });
  expect(["user.name", "user.*", "*", "labels.a-b"].map(maskProblem)).toEqual([undefined, undefined, undefined, undefined]);
  for (const bad of ["", "us*er", "a b", "**", "@timestamp", `${"x".repeat(300)}`]) expect(maskProblem(bad)).toBeDefined();
});

test("an explanation names the grant, the condition and what is masked", () => {
  const ann = user({ role: "viewer", rows: "site:a", masks: ["user.name"] }, { role: "auditor" });
  expect(explain(ann, "alerts:write")).toEqual({
    allowed: false,
    because: ["ann may not alerts:write: viewer and auditor do not hold it; the roles analyst, responder, admin would"],
  });
  const event = { fields: { site: "a", "user.name": "bob" } };
  expect(explain(ann, "events:read", "main", event)).toEqual({
    allowed: true,
    because: ["the grant viewer (rows site:a; masks user.name) reaches it", "masked in it: user.name"],
  });
  expect(explain(ann, "events:read", "main", { fields: { site: "b" } })).toMatchObject({ allowed: false });
  expect(explain(ann, "alerts:read", "main", { fields: { site: "b" } })).toMatchObject({ allowed: true });
});
