/** The tokens by which senders deliver to one source: made and shown once, listed without the secret, taken back. */
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api } from "../api/client.ts";
import type { SourceToken } from "../api/data.ts";
import { formatBytes, formatCount } from "../format/number.ts";
import { Only } from "../shell/allowed.tsx";
import { Confirm } from "../shell/confirm.tsx";
import { Panel } from "../shell/panel.tsx";
import { Snippet } from "../shell/snippet.tsx";
import { Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Time } from "../shell/zone.tsx";

const key = ["source-tokens"] as const;

export interface TokensProps {
  readonly source: string;
  /** Made just now; only this page has it. */
  readonly fresh: string | undefined;
  readonly onFresh: (token: string) => void;
}

export function Tokens({ source, fresh, onFresh }: TokensProps) {
  const client = useQueryClient();
  const [revoking, setRevoking] = useState<SourceToken>();
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.get("/source-tokens", { signal }),
  });
  const revoke = useMutation({
    mutationFn: (id: string) => api.delete("/source-tokens/{id}", { path: { id } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: key });
      setRevoking(undefined);
    },
  });
  return (
    <Panel title="Tokens" aside={<span className="dim small">may deliver to this source and do nothing else</span>}>
      <div className="stack">
        {fresh !== undefined && (
          <div className="notice notice-info" role="status">
            <div className="notice-text">
              <strong>Copy it now: it is not shown again.</strong> It stands in the configuration below as well.
              <Snippet text={fresh} label="New token" />
            </div>
          </div>
        )}
        <Loaded query={query} what="Tokens" rows={2}>
          {({ tokens }) => <TokenTable tokens={tokens.filter((one) => one.source === source)} revoke={setRevoking} />}
        </Loaded>
        <Only needs="sources:write">
          <NewToken source={source} onFresh={onFresh} />
        </Only>
      </div>
      {revoking !== undefined && (
        <Confirm
          title="Take back"
          subject={`Senders that use token ${revoking.id} are refused from now on.`}
          busy={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate(revoking.id)}
          onClose={() => setRevoking(undefined)}
        />
      )}
    </Panel>
  );
}

function TokenTable({ tokens, revoke }: { readonly tokens: readonly SourceToken[]; readonly revoke: (token: SourceToken) => void }) {
  if (tokens.length === 0) return <p className="dim">No token yet. A sender over HTTP needs one.</p>;
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Token</th>
            <th scope="col">Made</th>
            <th scope="col">Quota</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((one) => (
            <tr key={one.id}>
              <td className="mono">{one.id}</td>
              <td>
                <Time iso={one.created} digits={0} />
              </td>
              <td>{quotaText(one)}</td>
              <td>
                <Only needs="sources:write">
                  <Button size="compact-xs" variant="default" onClick={() => revoke(one)} aria-label={`Take back… token ${one.id}`}>
                    Take back…
                  </Button>
                </Only>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function quotaText({ events_per_second, bytes_per_second }: SourceToken): string {
  const parts = [
    ...(events_per_second === undefined ? [] : [`${formatCount(events_per_second)} events/s`]),
    ...(bytes_per_second === undefined ? [] : [`${formatBytes(bytes_per_second)}/s`]),
  ];
  return parts.length === 0 ? "none" : parts.join(", ");
}

function NewToken({ source, onFresh }: { readonly source: string; readonly onFresh: (token: string) => void }) {
  const client = useQueryClient();
  const [events, setEvents] = useState("");
  const make = useMutation({
    mutationFn: () => {
      const quota = events.trim() === "" ? {} : { events_per_second: Number(events) };
      return api.post("/source-tokens", { body: { source, ...quota } });
    },
    onSuccess: ({ token }) => {
      void client.invalidateQueries({ queryKey: key });
      setEvents("");
      onFresh(token);
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form className="form-line" onSubmit={submit}>
      <TextInput
        size="xs"
        label="At most events a second"
        description="Empty: no limit"
        inputMode="numeric"
        pattern="[0-9]*"
        value={events}
        onChange={(event) => setEvents(event.currentTarget.value)}
      />
      <Button type="submit" size="xs" loading={make.isPending}>
        Make a token
      </Button>
      {make.error !== null && (
        <p className="strong-bad" role="alert">
          {make.error.message}
        </p>
      )}
    </form>
  );
}
