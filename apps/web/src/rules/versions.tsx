/** Every version of the running rules, newest first, and the way back to an earlier one. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { RuleVersion } from "../api/types.ts";
import { Only } from "../shell/allowed.tsx";
import { Panel } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Failure, Loading } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import { DecideDialog } from "./decide_dialog.tsx";

/** What happened lately; the command line has all of them. */
const shown = 10;

export function Versions() {
  const [back, setBack] = useState<RuleVersion>();
  const { data, error, refetch } = useQuery({
    queryKey: ["rule-versions"],
    queryFn: ({ signal }) => api.get("/rule-versions", { signal }),
  });
  return (
    <Panel title="Versions" aside={<span className="dim">{data && `${data.versions.length} in all`}</span>} flush>
      {data === undefined ? (
        error ? (
          <Failure error={error} what="Versions" retry={refetch} />
        ) : (
          <Loading what="versions" rows={3} />
        )
      ) : (
        <TableScroll>
          <table className="grid">
            <thead>
              <tr>
                <th scope="col" className="number">
                  Version
                </th>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">Who</th>
                <th scope="col">Why</th>
                <th scope="col">
                  <span className="visually-hidden">Go back</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.versions.slice(0, shown).map((version) => (
                <VersionRow key={version.number} version={version} onBack={() => setBack(version)} />
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      {back !== undefined && (
        <DecideDialog
          action={{ do: "rollback", to: back.number }}
          title={`Go back to version ${back.number}`}
          subject="What rules found that are not enabled in it is taken back: their alerts are marked as retracted."
          onClose={() => setBack(undefined)}
        />
      )}
    </Panel>
  );
}

function VersionRow({ version, onBack }: { readonly version: RuleVersion; readonly onBack: () => void }) {
  return (
    <tr>
      <td className="number">{version.number}</td>
      <td>
        <Time iso={version.at} digits={0} />
      </td>
      <td>
        {version.what}
        {version.to !== undefined && ` to ${version.to}`}
        {version.subject !== undefined && (
          <div className="cell-sub mono">
            <Hostile text={version.subject} />
          </div>
        )}
      </td>
      <td>
        <Hostile text={version.by} />
      </td>
      <td className="cell-main">
        <Hostile text={version.reason} />
      </td>
      <td>
        {version.current ? (
          <Mark tone="good">in force</Mark>
        ) : (
          <Only needs="rules:write">
            <Button size="compact-xs" variant="default" onClick={onBack} aria-label={`Go back to version ${version.number}`}>
              Go back…
            </Button>
          </Only>
        )}
      </td>
    </tr>
  );
}
