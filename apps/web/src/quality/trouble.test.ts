import { expect, it } from "vitest";
import type { Quality, SourceQuality } from "../api/data.ts";
import { troubleOf, troubles } from "./trouble.ts";

const fine: SourceQuality = { name: "sshd", state: "ok", last: "2026-11-21T06:00:00Z", formats: [], unknown_fields: [], drift: [] };
const clock = (lead_s: number): Quality => ({
  sources: [fine],
  hosts: { known: 2, unwatched: 0, silent: [], clocks: [{ host: "web-1", source: "nginx", lead_s }] },
});

it("says nothing of a source that is all right, learning or in maintenance", () => {
  for (const state of ["ok", "learning", "maintenance"] as const) expect(troubleOf({ ...fine, state })).toEqual([]);
});

it("names each trouble with since when and what to do", () => {
  const [silent, failing, drift, unknown] = troubleOf({
    ...fine,
    state: "silent",
    silence_allowed_s: 90,
    formats: [
      { format: "syslog", records: 100, flaws: 40, failing: true },
      { format: "json", records: 100, flaws: 1, failing: false },
    ],
    drift: [{ kind: "sshd ssh_login", appeared: ["user.id"], vanished: ["user.name"], at: "2026-11-21T05:00:00Z" }],
    unknown_fields: [{ field: "usr", sampled: 3 }],
  });
  expect(silent).toMatchObject({ tone: "bad", what: "Silent; it may be silent for 1 min 30 s", since: fine.last });
  expect(failing).toMatchObject({ tone: "bad", what: "40 of 100 records cannot be read as syslog" });
  expect(drift?.what).toBe("The fields of sshd ssh_login changed; gone: user.name; new: user.id");
  expect(unknown?.what).toContain("usr");
});

it("tells a wrong time zone from a wrong clock", () => {
  expect(troubles(clock(7_201))[0]).toMatchObject({
    what: "Its clock is 2 h ahead of ours, seen through nginx",
    fix: expect.stringMatching(/^Whole hours/),
  });
  expect(troubles(clock(-48))[0]).toMatchObject({
    what: "Its clock is 48 s behind ours, seen through nginx",
    fix: expect.stringMatching(/NTP/),
  });
  expect(troubles(clock(3_600 * 1.5))[0]?.fix).toMatch(/NTP/);
});
