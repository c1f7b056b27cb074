/** API keys without their secrets, and taking one back. Whose they are the caller says. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiKey } from "../api/access.ts";
import { api } from "../api/client.ts";
import { Confirm } from "../shell/confirm.tsx";
import { Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";

/** @param owner whose; one's own where not given */
export function KeyTable({ owner, may_revoke }: { readonly owner?: string; readonly may_revoke: boolean }) {
  const client = useQueryClient();
  const [revoking, setRevoking] = useState<ApiKey>();
  const query = useQuery({
    queryKey: ["keys", owner],
    queryFn: ({ signal }) =>
      owner === undefined ? api.get("/keys", { signal }) : api.get("/users/{id}/keys", { path: { id: owner }, signal }),
  });
  const revoke = useMutation({
    mutationFn: (id: string) =>
      owner === undefined
        ? api.delete("/keys/{id}", { path: { id } })
        : api.delete("/users/{id}/keys/{key}", { path: { id: owner, key: id } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["keys"] });
      setRevoking(undefined);
    },
  });
  return (
    <Loaded query={query} what="Keys" rows={2}>
      {({ keys }) => (
        <>
          {keys.length === 0 ? (
            <p className="dim panel-pad">No key.</p>
          ) : (
            <Table keys={keys} revoke={may_revoke ? setRevoking : undefined} />
          )}
          {revoking !== undefined && (
            <Confirm
              title="Take back"
              subject={`Programs that use the key “${revoking.name}” are refused from now on.`}
              busy={revoke.isPending}
              error={revoke.error}
              onConfirm={() => revoke.mutate(revoking.id)}
              onClose={() => setRevoking(undefined)}
            />
          )}
        </>
      )}
    </Loaded>
  );
}

function Table({ keys, revoke }: { readonly keys: readonly ApiKey[]; readonly revoke: ((key: ApiKey) => void) | undefined }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">May, at most</th>
            <th scope="col">Used</th>
            <th scope="col">Until</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((one) => (
            <tr key={one.id}>
              <td className="cell-main">
                <Hostile text={one.name} />
                <div className="cell-sub mono">{one.id}</div>
              </td>
              <td className="small mono">{one.scope.join(" ")}</td>
              <td>{one.used === undefined ? <span className="dim">never</span> : <Time iso={one.used} digits={0} />}</td>
              <td>
                <Time iso={one.expires} digits={0} />
              </td>
              <td>
                {revoke !== undefined && (
                  <Button size="compact-xs" variant="default" onClick={() => revoke(one)} aria-label={`Take back… ${one.name}`}>
                    Take back…
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}
