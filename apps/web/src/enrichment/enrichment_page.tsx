/** What is added to events: every enricher with its table; inventories can be put, taken out of force, and read again. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api } from "../api/client.ts";
import type { Enricher } from "../api/data.ts";
import { formatBytes, formatCount } from "../format/number.ts";
import { Only } from "../shell/allowed.tsx";
import { announce } from "../shell/announce.tsx";
import { PageHead } from "../shell/panel.tsx";
import { ReasonDialog } from "../shell/reason_dialog.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { DataTabs } from "../sources/section.tsx";

const tones = { running: "good", off: "quiet", waiting: "warn", broken: "bad" } as const;

type Change =
  | { readonly do: "reload" }
  | { readonly do: "put"; readonly name: string; readonly file: File }
  | { readonly do: "remove"; readonly name: string };

function send({ change, reason }: { readonly change: Change; readonly reason: string }): Promise<unknown> {
  if (change.do === "reload") return api.post("/enrichers/reload", { body: { reason } });
  const where = { path: { id: change.name }, query: { reason } };
  if (change.do === "remove") return api.delete("/inventory/{id}", where);
  const type = change.file.name.toLowerCase().endsWith(".json") ? "application/json" : "text/csv";
  return api.put("/inventory/{id}", { ...where, body: change.file, headers: { "content-type": type } });
}

function wordsOf(change: Change): { readonly title: string; readonly subject: string } {
  if (change.do === "reload") return { title: "Read again", subject: "The files of inventories and databases are read again." };
  if (change.do === "remove")
    return { title: "Take out of force", subject: `Events from now on are not told what ${change.name} knew; the past stays as it is.` };
  return { title: "Put in force", subject: `${change.name}: ${change.file.name}, ${formatBytes(change.file.size)}` };
}

export function EnrichmentPage() {
  useTitle("Enrichment");
  const client = useQueryClient();
  const [change, setChange] = useState<Change>();
  const query = useQuery({
    queryKey: ["enrichers"],
    queryFn: ({ signal }) => api.get("/enrichers", { signal }),
  });
  const act = useMutation({
    mutationFn: send,
    onSuccess: (_, done) => {
      void client.invalidateQueries({ queryKey: ["enrichers"] });
      announce(`${wordsOf(done.change).title}: done`);
      setChange(undefined);
    },
  });
  const begin = (next: Change) => {
    act.reset();
    setChange(next);
  };
  return (
    <>
      <PageHead title="Enrichment">
        <span className="dim small">what is known besides, added before rules see an event</span>
        <Only needs="system:write">
          <Button size="xs" variant="default" onClick={() => begin({ do: "reload" })}>
            Read files again…
          </Button>
        </Only>
      </PageHead>
      <DataTabs />
      <section className="panel panel-flush" aria-label="Enrichers">
        <Loaded query={query} what="Enrichers" rows={8}>
          {({ enrichers }) =>
            enrichers.length === 0 ? (
              <Empty icon="info" title="Nothing is added to events">
                <p>
                  Zones, inventories of hosts and people, places of addresses: each stands under <code>enrich:</code> in{" "}
                  <code>vedette.yaml</code>, and alerts then say whose host it is.
                </p>
              </Empty>
            ) : (
              <EnricherTable enrichers={enrichers} begin={begin} />
            )
          }
        </Loaded>
      </section>
      {change !== undefined && (
        <ReasonDialog
          {...wordsOf(change)}
          busy={act.isPending}
          error={act.error}
          onSubmit={(reason) => act.mutate({ change, reason })}
          onClose={() => setChange(undefined)}
        />
      )}
    </>
  );
}

interface Begin {
  readonly begin: (change: Change) => void;
}

function EnricherTable({ enrichers, begin }: Begin & { readonly enrichers: readonly Enricher[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Enricher</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Rows
            </th>
            <th scope="col">In force since</th>
            <th scope="col">From</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {enrichers.map((one) => (
            <Row key={one.name} one={one} begin={begin} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Row({ one, begin }: Begin & { readonly one: Enricher }) {
  const { name, summary, state, reason, inventory, table } = one;
  return (
    <tr>
      <td className="cell-main">
        <span className="strong mono">
          <Hostile text={name} />
        </span>
        <div className="cell-sub">
          <Hostile text={summary} />
        </div>
        {reason !== undefined && (
          <div className={state === "broken" ? "reason" : "cell-sub"}>
            <Hostile text={reason} />
          </div>
        )}
      </td>
      <td>
        <Mark tone={tones[state] ?? "quiet"}>{state}</Mark>
      </td>
      <td className="number">{table === undefined ? <span className="dim">–</span> : formatCount(table.rows)}</td>
      <td>
        {table === undefined ? (
          <span className="dim">–</span>
        ) : (
          <>
            <Time iso={table.at} digits={0} />
            <div className="cell-sub">
              by <Hostile text={table.by} />
            </div>
          </>
        )}
      </td>
      <td className="wrap">
        {table !== undefined && (
          <>
            {table.file === undefined ? "the API" : <Hostile text={table.file} />}
            <div className="cell-sub">
              {formatBytes(table.bytes)} · <span className="mono">{table.hash.slice(0, 12)}</span>
            </div>
          </>
        )}
      </td>
      <td>
        {inventory && (
          <Only needs="system:write">
            <InventoryActions name={name} removable={table !== undefined} begin={begin} />
          </Only>
        )}
      </td>
    </tr>
  );
}

function InventoryActions({ name, removable, begin }: Begin & { readonly name: string; readonly removable: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="row-actions">
      <input
        ref={input}
        type="file"
        accept=".csv,.json,text/csv,application/json"
        hidden
        aria-label={`File for ${name}`}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file !== undefined) begin({ do: "put", name, file });
        }}
      />
      <Button size="compact-xs" variant="default" onClick={() => input.current?.click()} aria-label={`Put a file… in force for ${name}`}>
        Put a file…
      </Button>
      {removable && (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => begin({ do: "remove", name })}
          aria-label={`Take out… the table of ${name}`}
        >
          Take out…
        </Button>
      )}
    </div>
  );
}
