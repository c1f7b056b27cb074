/** The cluster at a glance: jobs that something was found about, partitions and users, nodes, who speaks with outside, and what the sensors miss. */
import type { ReactNode } from "react";
import { filterTerm } from "../events/query.ts";
import { TimePicker } from "../events/time_picker.tsx";
import { formatBytes, formatCount } from "../format/number.ts";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Mark, Severity } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { default_range } from "../url/range.ts";
import { linkPart, useSearch } from "../url/search.ts";
import { type Hpc, type Listed, useHpc } from "./data.ts";
import { JobTable } from "./job_table.tsx";
import { NodeGrid } from "./node_grid.tsx";
import { healthOf } from "./sensors.ts";

export function HpcPage() {
  useTitle("HPC");
  const { params, patch } = useSearch();
  const t = params.get("t") ?? default_range;
  const query = useHpc(t);
  return (
    <>
      <PageHead title="HPC">
        <TimePicker value={t} onChange={(value) => patch({ t: value === default_range ? undefined : value })} />
      </PageHead>
      <Loaded query={query} what="The cluster" rows={8}>
        {(hpc) => <Cluster hpc={hpc} t={t} />}
      </Loaded>
    </>
  );
}

function Cluster({ hpc, t }: { readonly hpc: Hpc; readonly t: string }) {
  const { jobs, partitions, users, nodes, talkers, sensors } = hpc;
  if ([jobs, nodes, talkers, sensors.workers].every(({ rows }) => rows.length === 0))
    return (
      <Empty icon="cluster" title="Nothing of a cluster has arrived">
        <p>Jobs come from Slurm (jobcomp, sacct, squeue), nodes from Tetragon, connections and sensors from Zeek.</p>
      </Empty>
    );
  return (
    <>
      <Panel title="Jobs" flush aside={<Count list={jobs} of="jobs, those with alerts first" />}>
        <JobTable jobs={jobs.rows} t={t} />
      </Panel>
      <div className="panel-columns">
        <Panel title="Partitions" flush aside={<Count list={partitions} of="partitions" />}>
          <Rows
            head={["Partition", "Jobs", "Users"]}
            rows={partitions.rows.map(({ partition, jobs, users }) => ({
              id: partition,
              to: eventsOf("slurm.job.partition", partition, t),
              cells: [formatCount(jobs), formatCount(users)],
            }))}
          />
        </Panel>
        <Panel title="Users" flush aside={<Count list={users} of="users" />}>
          <Rows
            head={["User", "Jobs", "Open alerts"]}
            rows={users.rows.map(({ user, jobs, alerts }) => ({
              id: user,
              to: eventsOf("user.name", user, t),
              cells: [formatCount(jobs), alerts === 0 ? <Zero key="alerts" /> : formatCount(alerts)],
            }))}
          />
        </Panel>
      </div>
      <Panel title="Nodes" aside={<Count list={nodes} of="nodes heard of" />}>
        <NodeGrid nodes={nodes.rows} t={t} />
      </Panel>
      <div className="panel-columns">
        <Panel title="Who speaks with outside" flush aside={<Count list={talkers} of="addresses" />}>
          <Rows
            head={["Address", "Connections", "Sent", "Received"]}
            rows={talkers.rows.map(({ address, connections, sent, received }) => ({
              id: address,
              to: eventsOf("source.ip", address, t),
              cells: [formatCount(connections), formatBytes(sent), formatBytes(received)],
            }))}
          />
        </Panel>
        <Sensors sensors={sensors} />
      </div>
    </>
  );
}

const eventsOf = (field: string, value: string, t: string): string =>
  `/events?q=${linkPart(filterTerm(field, value))}${t === default_range ? "" : `&t=${linkPart(t)}`}`;

const Zero = () => <span className="dim">0</span>;

function Count({ list, of }: { readonly list: Listed<unknown>; readonly of: string }) {
  return (
    <span className="dim small">
      {list.more ? "the first " : ""}
      {formatCount(list.rows.length)} {of}
    </span>
  );
}

interface Line {
  readonly id: string;
  readonly to: string;
  readonly cells: readonly ReactNode[];
}

/** What somebody or something came to, with the way to its events. */
function Rows({ head, rows }: { readonly head: readonly [string, ...string[]]; readonly rows: readonly Line[] }) {
  const [first, ...rest] = head;
  if (rows.length === 0) return <p className="panel-pad dim">None in this time.</p>;
  return (
    <TableScroll className="scroll-tall">
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">{first}</th>
            {rest.map((name) => (
              <th key={name} scope="col" className="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, to, cells }) => (
            <tr key={id}>
              <th scope="row" className="wrap">
                <InnerLink to={to}>
                  <Hostile text={id} />
                </InnerLink>
              </th>
              {cells.map((cell, at) => (
                <td key={rest[at]} className="number">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

const measured = (value: number | null, unit: string): ReactNode =>
  value === null ? <span className="dim">–</span> : `${Number(value.toPrecision(3))}${unit}`;

function Sensors({ sensors: { workers, alerts } }: { readonly sensors: Hpc["sensors"] }) {
  return (
    <Panel title="Sensors" flush aside={<Count list={workers} of="workers" />}>
      {alerts.length > 0 && (
        <ul className="panel-pad">
          {alerts.map(({ id, severity, summary }) => (
            <li key={id}>
              <Severity level={severity} />{" "}
              <InnerLink to={`/alerts/${linkPart(id)}`} className="wrap">
                <Hostile text={summary} />
              </InnerLink>
            </li>
          ))}
        </ul>
      )}
      {workers.rows.length === 0 ? (
        <p className="panel-pad dim">No sensor told of itself: Zeek writes capture_loss and stats when told to.</p>
      ) : (
        <TableScroll className="scroll-tall">
          <table className="grid">
            <thead>
              <tr>
                <th scope="col">Worker</th>
                <th scope="col">State</th>
                <th scope="col" className="number">
                  Lost
                </th>
                <th scope="col" className="number">
                  Dropped
                </th>
                <th scope="col" className="number">
                  Lag
                </th>
              </tr>
            </thead>
            <tbody>
              {workers.rows.map((worker) => {
                const { tone, word } = healthOf(worker);
                return (
                  <tr key={worker.worker}>
                    <th scope="row" className="wrap">
                      <Hostile text={worker.worker} />
                    </th>
                    <td>
                      <Mark tone={tone}>{word}</Mark>
                    </td>
                    <td className="number">{measured(worker.lost_percent, " %")}</td>
                    <td className="number">{worker.dropped === null ? <span className="dim">–</span> : formatCount(worker.dropped)}</td>
                    <td className="number">{measured(worker.lag_s, " s")}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </TableScroll>
      )}
    </Panel>
  );
}
