/** The users' event pipelines: what each step leaves out, which rules lose their data to them, a preview before a change, and reading them again. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { Pipeline } from "../api/data.ts";
import { formatCount } from "../format/number.ts";
import { Only } from "../shell/allowed.tsx";
import { announce } from "../shell/announce.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { ReasonDialog } from "../shell/reason_dialog.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { DataTabs } from "../sources/section.tsx";
import { Losses } from "./losses.tsx";
import { PreviewPanel } from "./preview.tsx";
import { RevealPanel } from "./reveal.tsx";

export function PipelinesPage() {
  useTitle("Event pipelines");
  const [reloading, setReloading] = useState(false);
  const query = useQuery({ queryKey: ["pipelines"], queryFn: ({ signal }) => api.get("/pipelines", { signal }) });
  return (
    <>
      <PageHead title="Event pipelines">
        <span className="dim small">after enrichment, before any rule</span>
        <Only needs="system:write">
          <Button size="xs" variant="default" onClick={() => setReloading(true)}>
            Read files again…
          </Button>
        </Only>
      </PageHead>
      <DataTabs />
      <Loaded query={query} what="Pipelines" rows={6}>
        {({ pipelines, losses }) => (
          <>
            {losses.length > 0 && <Losses losses={losses} />}
            <Panel title="In force" flush>
              {pipelines.length === 0 ? (
                <Empty icon="rules" title="Events are kept as they come">
                  <p>
                    A pipeline drops, samples, redacts, renames or computes. Put files into a folder of <code>pipelines.directories</code>,
                    and try one below first.
                  </p>
                </Empty>
              ) : (
                <StepTable pipelines={pipelines} />
              )}
            </Panel>
          </>
        )}
      </Loaded>
      <Only needs="events:read" whole>
        <PreviewPanel />
      </Only>
      <Only needs="pseudonyms:reveal">
        <RevealPanel />
      </Only>
      {reloading && <ReloadDialog onClose={() => setReloading(false)} />}
    </>
  );
}

function StepTable({ pipelines }: { readonly pipelines: readonly Pipeline[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Pipeline</th>
            <th scope="col">Its cases</th>
            <th scope="col">Steps, with the events each left out</th>
          </tr>
        </thead>
        <tbody>
          {pipelines.map(({ name, file, steps, cases, failing }) => (
            <tr key={file}>
              <td className="cell-main">
                <span className="strong">
                  <Hostile text={name} />
                </span>
                <div className="cell-sub mono">
                  <Hostile text={file} />
                </div>
              </td>
              <td>
                {cases === 0 ? (
                  <span className="dim">none</span>
                ) : (
                  <Mark tone={failing === 0 ? "good" : "bad"}>{`${formatCount(cases - failing)} of ${formatCount(cases)} fine`}</Mark>
                )}
              </td>
              <td className="cell-main">
                <ol className="step-list">
                  {steps.map((step, at) => (
                    <li key={JSON.stringify([at, step.name])}>
                      <code>{step.does}</code> <Hostile text={step.name} />
                      {step.dropped > 0 && <strong> · {formatCount(step.dropped)} left out</strong>}
                    </li>
                  ))}
                </ol>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function ReloadDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: (body: { readonly reason: string; readonly yes: boolean }) => api.post("/pipelines/reload", { body }),
    onSuccess: ({ blocked, changed }) => {
      if (blocked.length > 0) return;
      void client.invalidateQueries({ queryKey: ["pipelines"] });
      announce(changed ? "The pipelines were read again" : "The pipelines are as they were");
      onClose();
    },
  });
  return (
    <ReasonDialog
      title="Read again"
      subject="Pipelines' files are read again and are in force for what is taken in from now on."
      busy={act.isPending}
      error={act.error}
      blocked={act.data?.blocked}
      onSubmit={(reason, yes) => act.mutate({ reason, yes })}
      onClose={onClose}
    />
  );
}
