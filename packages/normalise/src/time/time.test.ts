/** Stamps are exact, strict, and never throw; a year is guessed as documented. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { epochOfAnyUnit, epochSeconds, formatTime, parseAnyTime, parseEpochSeconds, parseRfc3339 } from "./parse.ts";
import { apacheErrorDate, clfDate, nginxErrorDate, syslogStampAt } from "./stamps.ts";

const at = (iso: string) => Date.parse(iso) * 1000;

describe("RFC 3339", () => {
  test("agrees with Date over all times of five centuries, to the microsecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: at("1800-01-01T00:00:00Z"), max: at("2250-01-01T00:00:00Z") }), (time) => {
        expect(parseRfc3339(formatTime(time))).toBe(time);
        expect(Math.floor(time / 1000)).toBe(Date.parse(formatTime(time)));
      }),
    );
  });
  test.each([
    ["2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00Z"],
    ["2024-05-01 10:00:00,5-0130", "2024-05-01T11:30:00.5Z"],
    ["2024-02-29T23:59:60Z", "2024-03-01T00:00:00Z"],
    ["2024-05-01T10:00:00", "2024-05-01T10:00:00Z"],
    ["2024-05-01T10:00:00.123456999Z", "2024-05-01T10:00:00.123Z"],
  ])("%s", (text, meant) => expect(Math.floor(parseRfc3339(text)! / 1000)).toBe(Date.parse(meant)));
  test.each([
    "2023-02-29T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-05-01T24:00:00Z",
    "2024-05-01T10:00:00Zx",
    "2024-05-01",
    "",
    "20240501T100000Z",
  ])("%j is none", (text) => expect(parseRfc3339(text)).toBeUndefined());
});

describe("epochs", () => {
  test("six decimals are exact as text and as a double", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000_000 }), fc.integer({ min: 0, max: 999_999 }), (seconds, micros) => {
        const text = `${seconds}.${String(micros).padStart(6, "0")}`;
        expect(parseEpochSeconds(text)).toBe(seconds * 1e6 + micros);
        if (seconds < 2 ** 32) expect(epochSeconds(Number(text))).toBe(seconds * 1e6 + micros);
      }),
    );
  });
  test.each(["", ".", "1e5", "abc", "1.2.3", "123456789012"])("%j is none", (text) => expect(parseEpochSeconds(text)).toBeUndefined());
  test("the unit is told by the size", () => {
    const time = at("2024-05-01T10:00:00Z");
    for (const value of [time / 1e6, time / 1e3, time, time * 1e3]) expect(epochOfAnyUnit(value)).toBe(time);
    expect(parseAnyTime(String(time / 1000))).toBe(time);
    expect(parseAnyTime({})).toBeUndefined();
    expect(epochOfAnyUnit(Number.NaN)).toBeUndefined();
    expect(epochOfAnyUnit(1e300)).toBeUndefined();
  });
});

describe("syslog stamps without a year", () => {
  const read = (stamp: string, received: string) => {
    const time = syslogStampAt(stamp, 0, at(received));
    return time === undefined ? undefined : new Date(time / 1000).toISOString();
  };
  test.each([
    ["Dec 31 23:59:59", "2024-01-01T00:00:10Z", "2023-12-31T23:59:59.000Z"],
    ["Jan  1 00:00:05", "2023-12-31T23:59:59Z", "2024-01-01T00:00:05.000Z"],
    ["Jan  3 00:00:05", "2023-12-31T23:59:59Z", "2023-01-03T00:00:05.000Z"],
    ["Feb 29 12:00:00", "2025-03-01T00:00:00Z", "2024-02-29T12:00:00.000Z"],
    ["May 12 2005 09:48:03", "2025-03-01T00:00:00Z", "2005-05-12T09:48:03.000Z"],
    ["May 2 09:48:03.25", "2025-06-01T00:00:00Z", "2025-05-02T09:48:03.250Z"],
  ])("%s received %s", (stamp, received, meant) => expect(read(stamp, received)).toBe(meant));
  test.each(["Foo 12 09:48:03", "May 32 09:48:03", "May 12 25:48:03", "May 12", "Mai 12 09:48:03"])("%j is none", (stamp) =>
    expect(read(stamp, "2025-06-01T00:00:00Z")).toBeUndefined(),
  );
});

test("web servers' stamps", () => {
  const clf = "10/Oct/2000:13:55:36 -0700";
  expect(clfDate(clf, 0, clf.length)).toBe(at("2000-10-10T20:55:36Z"));
  expect(clfDate("1/Apr/2014:00:00:01 -0500", 0, 25)).toBe(at("2014-04-01T05:00:01Z"));
  expect(clfDate(`${clf}x`, 0, clf.length + 1)).toBeUndefined();
  expect(nginxErrorDate("2016/10/25 14:49:34 [error]")).toBe(at("2016-10-25T14:49:34Z"));
  expect(apacheErrorDate("Wed Oct 11 14:32:52.123456 2000")).toBe(at("2000-10-11T14:32:52Z") + 123_456);
  expect(apacheErrorDate("Wed Oct  1 14:32:52 2000")).toBe(at("2000-10-01T14:32:52Z"));
});

test("no text makes a reader throw or give a fraction", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.nat(5), (text, offset) => {
      for (const time of [
        parseRfc3339(text),
        parseEpochSeconds(text),
        parseAnyTime(text),
        syslogStampAt(text, offset, 0),
        clfDate(text, offset, text.length),
        nginxErrorDate(text),
        apacheErrorDate(text),
      ]) {
        if (time !== undefined) expect(Number.isInteger(time)).toBe(true);
      }
    }),
  );
});
