/** Sessions: from where, by what proof, until when, and ending one. Whose they are the caller says. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { UserSession } from "../api/access.ts";
import { api } from "../api/client.ts";
import { shorten } from "../format/text.ts";
import { Mark } from "../shell/severity.tsx";
import { Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";

const proofs = {
  token: "admin token",
  link: "one-time link",
  password: "password",
  totp: "password and code",
  recovery: "password and recovery code",
  oidc: "provider",
} as const;
const shown_characters = 80;

export interface SessionTableProps {
  readonly whose: "own" | "all" | { readonly user: string };
  /** Whether one of them can be ended. */
  readonly may_end?: boolean;
  readonly named?: boolean;
}

function listOf(whose: SessionTableProps["whose"], signal: AbortSignal) {
  if (whose === "own") return api.get("/me/sessions", { signal });
  return whose === "all" ? api.get("/sessions", { signal }) : api.get("/users/{id}/sessions", { path: { id: whose.user }, signal });
}

export function SessionTable({ whose, may_end = false, named = false }: SessionTableProps) {
  const client = useQueryClient();
  const key = ["sessions", whose];
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => listOf(whose, signal),
  });
  const end = useMutation({
    mutationFn: (id: string) => api.delete(whose === "own" ? "/me/sessions/{id}" : "/sessions/{id}", { path: { id } }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["sessions"] }),
  });
  return (
    <Loaded query={query} what="Sessions" rows={2}>
      {({ sessions }) =>
        sessions.length === 0 ? (
          <p className="dim panel-pad">Nobody is signed in.</p>
        ) : (
          <TableScroll>
            <table className="grid">
              <thead>
                <tr>
                  {named && <th scope="col">Person</th>}
                  <th scope="col">From</th>
                  <th scope="col">By</th>
                  <th scope="col">Since</th>
                  <th scope="col">Used</th>
                  <th scope="col">Until</th>
                  <th scope="col">
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {sessions.map((one) => (
                  <Row
                    key={one.id}
                    one={one}
                    named={named}
                    end={may_end ? () => end.mutate(one.id) : undefined}
                    busy={end.isPending && end.variables === one.id}
                  />
                ))}
              </tbody>
            </table>
            {end.error !== null && (
              <p className="panel-pad strong-bad" role="alert">
                {end.error.message}
              </p>
            )}
          </TableScroll>
        )
      }
    </Loaded>
  );
}

interface RowProps {
  readonly one: UserSession;
  readonly named: boolean;
  readonly end: (() => void) | undefined;
  readonly busy: boolean;
}

function Row({ one, named, end, busy }: RowProps) {
  return (
    <tr>
      {named && (
        <th scope="row">
          <Hostile text={one.user} />
        </th>
      )}
      <td className="cell-main">
        <span className="mono">
          <Hostile text={one.ip} />
        </span>
        <div className="cell-sub">
          <Hostile text={shorten(one.agent, shown_characters)} />
        </div>
      </td>
      <td>
        {proofs[one.by] ?? one.by}
        <div className="cell-sub">{one.kind}</div>
      </td>
      <td>
        <Time iso={one.created} digits={0} />
      </td>
      <td>
        <Time iso={one.used} digits={0} />
      </td>
      <td>
        <Time iso={one.expires} digits={0} />
      </td>
      <td>
        {one.current ? (
          <Mark tone="good">this one</Mark>
        ) : (
          end !== undefined && (
            <Button size="compact-xs" variant="default" loading={busy} onClick={end} aria-label={`End the session from ${one.ip}`}>
              End
            </Button>
          )
        )}
      </td>
    </tr>
  );
}
