/** What the program itself has to tell the audit trail: that it started, and what its configuration took away since the last time. */
import { userInfo } from "node:os";
import type { AuditTrail } from "@vedette/audit";
import type { AuditEntry } from "@vedette/model";
import type { SettingStore } from "@vedette/store";
import type { Config } from "./config/schema.ts";

const setting = "audit.settings";

/** What of the configuration makes traces vanish when it is cut. */
interface Settings {
  readonly sources: readonly string[];
  readonly retention: Config["events"]["retention"];
  readonly rules: readonly string[];
}

/** Who started the process; the system may know no name for the number. */
export function operator(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

export async function recordStart(trail: AuditTrail, settings: SettingStore, config: Config, version: string): Promise<void> {
  const by = { user: operator() };
  await trail.record({
    action: "service_started",
    outcome: "success",
    by,
    fields: { "service.version": version, "process.pid": process.pid },
  });
  const now: Settings = {
    sources: Object.keys(config.sources).sort(),
    retention: config.events.retention,
    rules: config.rules.directories,
  };
  const text = await settings.get(setting);
  const before = text === undefined ? undefined : (JSON.parse(text) as Settings);
  for (const entry of before === undefined ? [] : changes(before, now)) await trail.record({ ...entry, by });
  await settings.set(setting, JSON.stringify(now));
}

function changes(before: Settings, now: Settings): readonly Omit<AuditEntry, "by">[] {
  const entry = (action: string, fields: NonNullable<AuditEntry["fields"]>) => ({ action, outcome: "success" as const, fields });
  const removed = before.sources.filter((name) => !now.sources.includes(name));
  const added = now.sources.filter((name) => !before.sources.includes(name));
  const cut = Object.entries(now.retention).filter(([name, { days, gb }]) => {
    const old = before.retention[name as keyof Settings["retention"]];
    return old !== undefined && (less(days, old.days) || less(gb, old.gb));
  });
  return [
    ...removed.map((name) => entry("source_removed", { "vedette.audit.source": name })),
    ...added.map((name) => entry("source_added", { "vedette.audit.source": name })),
    ...cut.map(([name, to]) =>
      entry("retention_shortened", {
        "vedette.audit.class": name,
        "vedette.audit.before": JSON.stringify(before.retention[name as keyof Settings["retention"]]),
        "vedette.audit.after": JSON.stringify(to),
      }),
    ),
  ];
}

/** No bound is more than any. */
const less = (now: number | undefined, before: number | undefined): boolean =>
  (now ?? Number.POSITIVE_INFINITY) < (before ?? Number.POSITIVE_INFINITY);
