/** Keys at rest: which there are, what each sealed, and sealing everything by the newest. It never sees a key. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { AccessTabs } from "../access/section.tsx";
import { api } from "../api/client.ts";
import { useMay } from "../api/session.ts";
import { formatCount } from "../format/number.ts";
import { announce } from "../shell/announce.tsx";
import { Confirm } from "../shell/confirm.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";

const key = ["vault"] as const;
const uses = { seals: ["good", "seals"], opens: ["busy", "opens older boxes"], missing: ["bad", "missing"] } as const;

const log_uses = { seals: ["good", "seals"], opens: ["busy", "opens older batches"] } as const;

export function VaultPage() {
  useTitle("Keys at rest");
  const client = useQueryClient();
  const may_write = useMay("system:write");
  const [asking, setAsking] = useState(false);
  const query = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get("/vault", { signal }) });
  const rotate = useMutation({
    mutationFn: () => api.post("/vault/rotate"),
    onSuccess: ({ resealed }) => {
      setAsking(false);
      announce(`${resealed} boxes sealed anew`);
      void client.invalidateQueries({ queryKey: key });
    },
  });
  return (
    <>
      <PageHead title="Keys at rest">
        {may_write && (
          <Button size="xs" variant="default" onClick={() => setAsking(true)}>
            Rotate…
          </Button>
        )}
      </PageHead>
      <AccessTabs />
      {rotate.data !== undefined && (
        <p className="notice notice-info" role="status">
          {rotate.data.log_key !== undefined && (
            <>
              Batches of the log are sealed by key <code>{rotate.data.log_key}</code> now.{" "}
            </>
          )}
          {formatCount(rotate.data.resealed)} boxes are sealed by key <code>{rotate.data.key}</code> now
          {rotate.data.dropped.length > 0 && `; ${formatCount(rotate.data.dropped.length)} old keys are gone`}.
        </p>
      )}
      <Loaded query={query} what="The keys" rows={4}>
        {({ keys, places, log }) => (
          <>
            <Panel title="Keys" aside={<span className="dim small">newest first</span>} flush>
              <TableScroll>
                <table className="grid">
                  <thead>
                    <tr>
                      <th scope="col">Key</th>
                      <th scope="col">From</th>
                      <th scope="col">Use</th>
                      <th scope="col" className="number">
                        Boxes
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {keys.map((one) => (
                      <tr key={one.id}>
                        <td className="mono">{one.id}</td>
                        <td className="cell-main">
                          <Hostile text={one.from === "" ? "not there" : one.from} />
                        </td>
                        <td>
                          <Mark tone={uses[one.use][0]}>{uses[one.use][1]}</Mark>
                        </td>
                        <td className="number">{formatCount(one.boxes)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </TableScroll>
            </Panel>
            <Panel title="Keys of the log" aside={<span className="dim small">they seal batches, and are sealed themselves</span>} flush>
              <TableScroll>
                <table className="grid">
                  <thead>
                    <tr>
                      <th scope="col">Key</th>
                      <th scope="col">Since</th>
                      <th scope="col">Use</th>
                      <th scope="col">Needed by</th>
                    </tr>
                  </thead>
                  <tbody>
                    {log.map(({ id, since, use, needed_by }) => (
                      <tr key={id}>
                        <td className="mono">{id}</td>
                        <td>{since !== undefined && <Time iso={since} digits={0} />}</td>
                        <td>
                          <Mark tone={log_uses[use][0]}>{log_uses[use][1]}</Mark>
                        </td>
                        <td className="cell-main wrap">
                          {needed_by === undefined
                            ? ""
                            : needed_by.length === 0
                              ? "nothing any more; it goes within a day"
                              : needed_by.join(", ")}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </TableScroll>
            </Panel>
            <Panel title="What is sealed" flush>
              <TableScroll>
                <table className="grid">
                  <thead>
                    <tr>
                      <th scope="col">Place</th>
                      <th scope="col" className="number">
                        Boxes
                      </th>
                      <th scope="col" className="number">
                        By an older key
                      </th>
                      <th scope="col" className="number">
                        Damaged
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {places.map(({ name, boxes, old, damaged }) => (
                      <tr key={name}>
                        <td className="cell-main">
                          <Hostile text={name} />
                        </td>
                        <td className="number">{formatCount(boxes)}</td>
                        <td className="number">{formatCount(old)}</td>
                        <td className={damaged > 0 ? "number strong-bad" : "number"}>{formatCount(damaged)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </TableScroll>
            </Panel>
          </>
        )}
      </Loaded>
      {asking && (
        <Confirm
          title="Rotate keys"
          subject="The keys are read again, a new one is made where they are the installation's own, and everything is sealed by the newest. Batches of the log get a new key too."
          busy={rotate.isPending}
          error={rotate.error}
          onConfirm={() => rotate.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
