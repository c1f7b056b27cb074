import { expect, it } from "vitest";
import { parseData, samples_kept, takeStatus } from "./live.ts";
import type { Status } from "./types.ts";

it("forgets samples older than five minutes", () => {
  const status = { rate: 5, lag_ms: 1 } as Status;
  const live = { connection: "connecting" as const, status: undefined, samples: [{ at: 1_000 - samples_kept - 1, rate: 1, lag_ms: 1 }] };
  expect(takeStatus(live, status, 1_000)).toEqual({ connection: "live", status, samples: [{ at: 1_000, rate: 5, lag_ms: 1 }] });
});

it("skips what is not JSON", () => {
  expect(parseData("{")).toBeUndefined();
  expect(parseData('{"a":1}')).toEqual({ a: 1 });
});
