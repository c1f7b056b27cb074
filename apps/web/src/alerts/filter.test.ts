import { describe, expect, it } from "vitest";
import type { AlertRow } from "../api/types.ts";
import { rowsToPages } from "./alert_list.ts";
import { describeFilter, isUsual, matchesFilter, mergeAlert, printStates, readFilter } from "./filter.ts";

function alert(id: string, changes: Partial<AlertRow> = {}): AlertRow {
  const time = "2026-11-21T06:30:00Z";
  return {
    id,
    severity: "high",
    title: "SSH brute force",
    summary: "",
    rule: { id: "r1", title: "r" },
    entities: [{ type: "host", id: "login-1" }],
    attack: ["T1110"],
    count: 1,
    events: 1,
    first_seen: time,
    last_seen: time,
    created: time,
    updated: time,
    state: "open",
    demo: false,
    ...changes,
  };
}

const filter = readFilter(new URLSearchParams("severity=high"));

describe("the filter in the address", () => {
  it("knows whether somebody narrowed it", () => {
    const usual = (search: string) => isUsual(readFilter(new URLSearchParams(search)));
    expect(["", "state=open,acknowledged"].map(usual)).toEqual([true, true]);
    expect(["state=any", "state=closed", "severity=high", "q=x", "shadow=1"].map(usual)).toEqual([false, false, false, false, false]);
  });

  it("shows what is not closed unless told otherwise", () => {
    expect(readFilter(new URLSearchParams("")).state).toEqual(["open", "acknowledged"]);
    expect(readFilter(new URLSearchParams("state=any")).state).toHaveLength(3);
    expect(readFilter(new URLSearchParams("state=closed,nonsense")).state).toEqual(["closed"]);
  });

  it("prints what it reads", () => {
    for (const states of [["open"], ["open", "acknowledged"], ["closed"], ["open", "acknowledged", "closed"]] as const) {
      const printed = printStates(states);
      expect(readFilter(new URLSearchParams(printed === undefined ? "" : { state: printed })).state).toEqual(states);
    }
  });

  it("names every clause that hides something", () => {
    expect(describeFilter(readFilter(new URLSearchParams("severity=low&q=x&state=any")))).toEqual(["severity is low", "text contains “x”"]);
  });
});

it("matches on state, severity, rule, entity and text", () => {
  const match = (search: string) => matchesFilter(alert("a"), readFilter(new URLSearchParams(search)));
  expect([match(""), match("severity=high"), match("rule=r1"), match("entity=login-1"), match("q=BRUTE"), match("q=t1110")]).not.toContain(
    false,
  );
  expect([match("state=closed"), match("severity=low"), match("rule=r2"), match("entity=x"), match("q=zzz")]).not.toContain(true);
});

describe("mergeAlert", () => {
  const rows = [alert("a"), alert("b"), alert("c")];
  const ids = (list: readonly AlertRow[]) => list.map((row) => row.id).join("");

  it("updates a shown row in its place", () => {
    const next = mergeAlert({ rows, waiting: [] }, alert("b", { count: 9 }), filter, true);
    expect(ids(next.rows)).toBe("abc");
    expect(next.rows[1]?.count).toBe(9);
  });

  it("puts a new one on top, or lets it wait while someone reads", () => {
    expect(ids(mergeAlert({ rows, waiting: [] }, alert("d"), filter, false).rows)).toBe("dabc");
    const held = mergeAlert({ rows, waiting: [] }, alert("d"), filter, true);
    expect([ids(held.rows), ids(held.waiting)]).toEqual(["abc", "d"]);
    expect(ids(mergeAlert(held, alert("d", { count: 2 }), filter, true).waiting)).toBe("d");
  });

  it("drops a row that no longer fits, unless it is looked at", () => {
    const closed = alert("b", { state: "closed" });
    expect(ids(mergeAlert({ rows, waiting: [] }, closed, filter, true).rows)).toBe("ac");
    expect(ids(mergeAlert({ rows, waiting: [] }, closed, filter, true, "b").rows)).toBe("abc");
  });

  it("ignores a new one that does not fit", () => {
    const list = { rows, waiting: [] };
    expect(mergeAlert(list, alert("d", { severity: "low" }), filter, false)).toBe(list);
  });
});

it("keeps pages apart when rows change", () => {
  const data = {
    pageParams: ["", "1"],
    pages: [
      { alerts: [alert("a")], cursor: "1", total: 2 },
      { alerts: [alert("b")], total: 2 },
    ],
  };
  const next = rowsToPages(data, [alert("n"), alert("a"), alert("b", { count: 5 })], 1);
  expect(next.pages.map((page) => page.alerts.map((row) => row.id).join(""))).toEqual(["na", "b"]);
  expect(next.pages[1]?.alerts[0]?.count).toBe(5);
  expect(next.pages[0]?.total).toBe(3);
});
