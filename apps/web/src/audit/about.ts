/** What a record of the audit trail says beside who, when and how it ended, as short pairs. */
import type { AuditRecord } from "../api/types.ts";

/** Shown in columns of their own, or of no use to a reader. */
const elsewhere = new Set([
  "event.action",
  "event.outcome",
  "user.name",
  "source.ip",
  "http.request.method",
  "http.response.status_code",
  "vedette.audit.session",
]);

export function aboutOf({ fields = {} }: Pick<AuditRecord, "fields">): readonly { readonly name: string; readonly value: string }[] {
  return Object.entries(fields)
    .filter(([name]) => !elsewhere.has(name))
    .map(([name, value]) => ({
      name: name.replace("vedette.audit.", ""),
      value: typeof value === "string" ? value : JSON.stringify(value),
    }));
}
