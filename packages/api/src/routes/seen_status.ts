/** The front page's figures as who sees a part of the events may have them: counted in that part, without those that have no part. */
import { always, type Condition, type View } from "@vedette/condition";
import { type Severity, severities } from "@vedette/model";
import { formatTime } from "../time.ts";
import type { RouteContext } from "./context.ts";
import { rangeOf } from "./events.ts";

export async function seenStatus({ options, tenant, clock }: RouteContext, view: View) {
  const { store, runtime, version } = options;
  const count = async (where: Condition): Promise<number> => {
    const aggregates = [{ fn: "count" as const, as: "n" }];
    const [row] = await store.events.stats({ tenant, range: rangeOf({}, clock.now()), where, view, aggregates, by: [], limit: 1 });
    return Number(row?.["n"] ?? 0);
  };
  const open = async (severity: Severity) => {
    const { total } = await store.alerts.list({ tenant, states: ["open"], severities: [severity], view }, 1);
    return [severity, total] as const;
  };
  const [events, demo, { ready }, ...alerts] = await Promise.all([
    count(always),
    count({ op: "eq", field: "vedette.demo", value: true }),
    runtime.ready(),
    ...severities.map(open),
  ]);
  return {
    version,
    started: formatTime(runtime.started),
    events,
    alerts: { open: Object.fromEntries(alerts) as { [S in Severity]: number } },
    demo: { present: demo > 0, running: demo > 0 && runtime.demoRunning, events: demo },
    ready,
    // their texts name sources and hosts
    problems: ready ? [] : [{ code: "not_ready", message: "something needs whoever runs this installation" }],
  };
}
