/** What of the audit trail is shown: who, what, how it ended and since when. It lives in the address. */
import { NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useState } from "react";
import type { SearchState } from "../url/search.ts";

const hour_ms = 3_600_000;
const spans = { "": "any time", "1h": "last hour", "24h": "last day", "168h": "last week", "720h": "last 30 days" } as const;
const outcomes = { "": "any outcome", success: "done", failure: "failed", unknown: "asked for" } as const;

export interface AuditFilter {
  readonly user: string;
  readonly action: string;
  readonly outcome: "" | "success" | "failure" | "unknown";
  readonly since: keyof typeof spans;
}

const oneOf = <T extends string>(options: { readonly [name in T]: string }, text: string | null): T =>
  Object.hasOwn(options, text ?? "") ? ((text ?? "") as T) : ("" as T);

export function auditFilter(params: URLSearchParams): AuditFilter {
  return {
    user: params.get("user") ?? "",
    action: params.get("action") ?? "",
    outcome: oneOf(outcomes, params.get("outcome")),
    since: oneOf(spans, params.get("since")),
  };
}

/** As the server is asked. */
export function auditQuery({ user, action, outcome, since }: AuditFilter, now_ms: number) {
  const from = since === "" ? undefined : new Date(now_ms - Number.parseInt(since, 10) * hour_ms).toISOString();
  return { user: user || undefined, action: action || undefined, outcome: outcome || undefined, from };
}

/** Texts are asked for when they are entered: each question is a record of the trail itself. */
export function AuditFilterBar({ filter, patch }: { readonly filter: AuditFilter; readonly patch: SearchState["patch"] }) {
  const [user, setUser] = useState(filter.user);
  const [action, setAction] = useState(filter.action);
  useEffect(() => setUser(filter.user), [filter.user]);
  useEffect(() => setAction(filter.action), [filter.action]);
  const enter = (event?: FormEvent) => {
    event?.preventDefault();
    if (user !== filter.user || action !== filter.action) patch({ user: user.trim(), action: action.trim() });
  };
  const choices = (options: object) => Object.entries(options).map(([value, label]) => ({ value, label }));
  return (
    <search>
      <form className="filter-bar" onSubmit={enter}>
        <TextInput
          size="xs"
          label="Who"
          placeholder="name"
          value={user}
          onChange={(e) => setUser(e.currentTarget.value)}
          onBlur={() => enter()}
        />
        <TextInput
          size="xs"
          label="Action"
          placeholder="login, rule*"
          value={action}
          onChange={(e) => setAction(e.currentTarget.value)}
          onBlur={() => enter()}
        />
        <NativeSelect
          size="xs"
          label="Outcome"
          data={choices(outcomes)}
          value={filter.outcome}
          onChange={(e) => patch({ outcome: e.currentTarget.value })}
        />
        <NativeSelect
          size="xs"
          label="Time"
          data={choices(spans)}
          value={filter.since}
          onChange={(e) => patch({ since: e.currentTarget.value })}
        />
        {/* Enter submits by it; nobody tabs to what is not to be seen */}
        <button type="submit" className="visually-hidden" tabIndex={-1}>
          Show
        </button>
      </form>
    </search>
  );
}
