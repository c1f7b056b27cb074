/** Jobs with what was found about them: the score and its nine factors where one looks like mining. */
import { filterTerm } from "../events/query.ts";
import { formatCount } from "../format/number.ts";
import { InnerLink } from "../shell/link.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { default_range } from "../url/range.ts";
import { linkPart } from "../url/search.ts";
import type { Factor, HpcJob } from "./data.ts";

/** A job on a thousand nodes: the first tell enough. */
const nodes_shown = 4;
const alerts_shown = 3;

export function JobTable({ jobs, t }: { readonly jobs: readonly HpcJob[]; readonly t: string }) {
  if (jobs.length === 0) return <p className="panel-pad dim">No job in this time.</p>;
  return (
    <TableScroll className="scroll-tall">
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">User</th>
            <th scope="col">State</th>
            <th scope="col">Nodes</th>
            <th scope="col">Looks like mining</th>
            <th scope="col">Alerts</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <Row key={`${job.cluster ?? ""} ${job.job}`} job={job} t={t} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Row({ job, t }: { readonly job: HpcJob; readonly t: string }) {
  const { states, nodes, alerts } = job;
  const query = linkPart(`${filterTerm("hpc.job.id", job.job)} or ${filterTerm("slurm.job.id", job.job)}`);
  return (
    <tr>
      <th scope="row">
        <InnerLink to={`/events?q=${query}${t === default_range ? "" : `&t=${linkPart(t)}`}`}>
          <Hostile text={job.job} />
        </InnerLink>
        <div className="cell-sub">
          <Hostile text={[job.cluster, job.partition].filter((one) => one !== undefined).join(", ")} />
        </div>
      </th>
      <td>
        {job.user === undefined ? <span className="dim">–</span> : <Hostile text={job.user} />}
        <div className="cell-sub clip">{job.account !== undefined && <Hostile text={job.account} />}</div>
      </td>
      <td>{states.length === 0 ? <span className="dim">–</span> : <Hostile text={states.at(-1)!} />}</td>
      <td className="job-nodes">
        <Hostile text={nodes.slice(0, nodes_shown).join(", ")} />
        {nodes.length > nodes_shown && <span className="dim small"> and {formatCount(nodes.length - nodes_shown)} more</span>}
      </td>
      <td className="cell-main">
        {job.score === undefined ? <span className="dim">–</span> : <Score score={job.score} factors={job.factors ?? []} />}
      </td>
      <td className="job-alerts">
        {alerts.length === 0 && <span className="dim">none</span>}
        {alerts.slice(0, alerts_shown).map((id, at) => (
          <div key={id}>
            <InnerLink to={`/alerts/${linkPart(id)}`}>alert {at + 1}</InnerLink>
          </div>
        ))}
        {alerts.length > alerts_shown && <span className="dim small">and {formatCount(alerts.length - alerts_shown)} more</span>}
      </td>
    </tr>
  );
}

function Score({ score, factors }: { readonly score: number; readonly factors: readonly Factor[] }) {
  const counted = factors.filter(({ points }) => points > 0);
  return (
    <details>
      <summary>
        <span className="strong">{Math.round(score)} of 100</span>{" "}
        <span className="dim">
          <Hostile text={counted.map(({ name }) => name).join(", ")} />
        </span>
      </summary>
      <dl className="facts">
        {factors.map(({ name, points, of, value }) => (
          <div key={name} className="fact">
            <dt>
              <Hostile text={name} /> {points}/{of}
            </dt>
            <dd>
              <Hostile text={value} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
