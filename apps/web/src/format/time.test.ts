import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAgo, formatDuration, formatOffset, formatTime } from "./time.ts";

describe("formatTime", () => {
  const iso = "2026-11-21T06:30:00.123456Z";

  it("prints UTC with date, milliseconds and offset", () => {
    expect(formatTime(iso, "utc")).toBe("2026-11-21 06:30:00.123 Z");
  });

  it("keeps the microseconds that Date cannot hold", () => {
    expect(formatTime(iso, "utc", { digits: 6 })).toBe("2026-11-21 06:30:00.123456 Z");
  });

  it("prints the time of day alone and without fraction where asked", () => {
    expect(formatTime(iso, "utc", { date: false, digits: 0 })).toBe("06:30:00 Z");
  });

  it("returns what is no time as it came", () => {
    expect(formatTime("<b>soon</b>", "utc")).toBe("<b>soon</b>");
  });

  it("always names the offset of local time, and the two describe the same instant", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date("1990-01-01"), max: new Date("2200-01-01"), noInvalidDate: true }), (at) => {
        const [day, clock, offset] = formatTime(at.toISOString(), "local").split(" ");
        const signed = offset!.replace("−", "-").replace("Z", "+00");
        const zone = signed.length === 3 ? `${signed}:00` : signed;
        expect(Date.parse(`${day}T${clock}${zone}`)).toBe(at.getTime());
      }),
    );
  });
});

describe("formatOffset", () => {
  const at = (minutes: number) => ({ getTimezoneOffset: () => minutes }) as Date;

  it("shows hours, minutes only where there are some, and a sign on both sides", () => {
    expect(formatOffset(at(-60), "local")).toBe("+01");
    expect(formatOffset(at(-330), "local")).toBe("+05:30");
    expect(formatOffset(at(300), "local")).toBe("−05");
    expect(formatOffset(at(-60), "utc")).toBe("Z");
  });
});

describe("formatDuration and formatAgo", () => {
  it("uses at most two units", () => {
    expect(formatDuration(350)).toBe("350 ms");
    expect(formatDuration(250_000)).toBe("4 min 10 s");
    expect(formatDuration(266_400_000)).toBe("3 d 2 h");
    expect(formatDuration(86_400_000)).toBe("1 d");
    expect(formatDuration(Number.NaN)).toBe("–");
  });

  it("speaks of the past, and of a clock ahead of ours", () => {
    const now = Date.parse("2026-11-21T06:30:00Z");
    expect(formatAgo("2026-11-21T06:29:59.500Z", now)).toBe("just now");
    expect(formatAgo("2026-11-21T06:25:50Z", now)).toBe("4 min ago");
    expect(formatAgo("2026-11-21T06:31:00Z", now)).toBe("in 1 min");
  });
});
