/** Is the data all right: what is wrong with the cause and what to do, then every source with how it comes in. */
import type { Quality, SourceQuality } from "../api/data.ts";
import { formatCount } from "../format/number.ts";
import { formatDuration } from "../format/time.ts";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { DataTabs } from "../sources/section.tsx";
import { linkPart } from "../url/search.ts";
import { useQuality } from "./data.ts";
import { troubles } from "./trouble.ts";
import { TroubleTable } from "./trouble_table.tsx";

const tones = { ok: "good", silent: "bad", maintenance: "quiet", learning: "busy" } as const;

export function QualityPage() {
  useTitle("Data quality");
  const query = useQuality();
  return (
    <>
      <PageHead title="Data quality">
        {query.data?.at !== undefined && (
          <span className="dim small">
            as of <Time iso={query.data.at} digits={0} />
          </span>
        )}
      </PageHead>
      <DataTabs />
      <Loaded query={query} what="Data quality" rows={8}>
        {(quality) => <Report quality={quality} />}
      </Loaded>
    </>
  );
}

function Report({ quality }: { readonly quality: Quality }) {
  const { sources, hosts } = quality;
  const found = troubles(quality);
  if (sources.length === 0 && found.length === 0)
    return (
      <Empty icon="sources" title="Nothing has been judged yet">
        <p>
          A source is judged once ten minutes and twenty arrivals have shown what its pauses are.{" "}
          <InnerLink to="/sources">Sources</InnerLink> shows what arrives.
        </p>
      </Empty>
    );
  return (
    <>
      <Panel title="What is not all right" flush aside={<span className="dim small">each of these is an alert as well</span>}>
        {found.length === 0 ? <Empty icon="check" title="All is well" /> : <TroubleTable troubles={found} />}
      </Panel>
      <Panel
        title="Sources"
        flush
        aside={
          <span className="dim small">
            {formatCount(hosts.known)} hosts heard of, {formatCount(hosts.silent.length)} silent
            {hosts.unwatched > 0 && `, ${formatCount(hosts.unwatched)} beyond the most that are watched`}
          </span>
        }
      >
        <TableScroll>
          <table className="grid">
            <thead>
              <tr>
                <th scope="col">Source</th>
                <th scope="col">State</th>
                <th scope="col">Last heard of</th>
                <th scope="col">May be silent</th>
                <th scope="col">Read, of the last minutes</th>
                <th scope="col" className="number">
                  Unknown fields
                </th>
              </tr>
            </thead>
            <tbody>
              {sources.map((source) => (
                <Row key={source.name} source={source} />
              ))}
            </tbody>
          </table>
        </TableScroll>
      </Panel>
    </>
  );
}

function Row({ source }: { readonly source: SourceQuality }) {
  const { name, state, last, silence_allowed_s, formats, unknown_fields } = source;
  return (
    <tr>
      <th scope="row">
        <InnerLink to={`/sources/${linkPart(name)}`}>
          <Hostile text={name} />
        </InnerLink>
      </th>
      <td>
        <Mark tone={tones[state] ?? "quiet"}>{state}</Mark>
      </td>
      <td>
        <Time iso={last} digits={0} />
      </td>
      <td>{silence_allowed_s === undefined ? <span className="dim">not known yet</span> : formatDuration(silence_allowed_s * 1_000)}</td>
      <td className="cell-main">
        {formats.length === 0 && <span className="dim">–</span>}
        {formats.map(({ format, records, flaws, failing }) => (
          <div key={format}>
            <Hostile text={format} />: {formatCount(records - flaws)} of {formatCount(records)}
            {flaws > 0 && <span className={failing ? "strong-bad" : "dim"}> · {formatCount(flaws)} could not be read</span>}
          </div>
        ))}
      </td>
      <td className="number">{unknown_fields.length === 0 ? <span className="dim">0</span> : formatCount(unknown_fields.length)}</td>
    </tr>
  );
}
