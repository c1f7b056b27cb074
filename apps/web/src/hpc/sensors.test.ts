import { expect, test } from "vitest";
import { healthOf } from "./sensors.ts";

test.each([
  [{ lost_percent: 0.2, dropped: 0, lag_s: 0.1 }, "good", "sees all"],
  [{ lost_percent: 0.2, dropped: 12, lag_s: null }, "warn", "drops some"],
  [{ lost_percent: 1.5, dropped: 0, lag_s: 0 }, "bad", "loses packets"],
  [{ lost_percent: null, dropped: 0, lag_s: 61 }, "bad", "lags"],
  [{ lost_percent: null, dropped: null, lag_s: null }, "quiet", "not known"],
] as const)("%o is %s: %s", (measured, tone, word) => {
  expect(healthOf({ worker: "w", ...measured })).toEqual({ tone, word });
});
