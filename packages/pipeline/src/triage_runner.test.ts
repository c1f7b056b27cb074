import { UnavailableError } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import type { Finding } from "@vedette/model";
import { expect, test } from "vitest";
import { memoryAlerts } from "./rules/rig.test.data.ts";
import { runTriage } from "./triage_runner.ts";

const finding = {
  id: "f1",
  tenant: "main",
  rule: { id: "r1", hash: "h", title: "Rule" },
  severity: "high",
  key: "",
  window: { start: 1, end: 2 },
  events: ["e1"],
  count: 1,
  entities: [],
  attack: [],
  evidence: [],
  summary: "found",
  revision: 0,
  canonical: true,
  demo: false,
} as unknown as Finding;

test("findings that were read while the store was away are folded once it is back, however often it fails", async () => {
  const log = memoryLog();
  const alerts = memoryAlerts();
  let away = 0;
  const asked = <A extends readonly unknown[], T>(method: (...how: A) => Promise<T>) => {
    return async (...how: A): Promise<T> => {
      if (away-- > 0) throw new UnavailableError("store_unavailable", "away");
      return method(...how);
    };
  };
  const stop = new AbortController();
  const clock = { now: () => 0, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) };
  const { offset, byGroup, seen, fold } = alerts;
  // it fails as long as it takes to lose the place: when it folds, and when it asks where it was
  away = 1;
  const store = { ...alerts, offset: asked(offset), byGroup: asked(byGroup), seen: asked(seen), fold: asked(fold) };
  const running = runTriage(
    {
      log,
      alerts: store,
      clock,
      onAlerts: () => stop.abort(),
    },
    stop.signal,
  );
  await new Promise((resolve) => setImmediate(resolve));
  away = 3;
  await log.append("findings", 0, Buffer.from(JSON.stringify({ raw: 0, findings: [finding] })));
  await running;
  expect((await alerts.list({ tenant: "main" }, 10)).alerts).toMatchObject([{ rule: { id: "r1" }, count: 1 }]);
});
