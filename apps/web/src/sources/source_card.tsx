/** What became of one source's records: the ledger with its balance, and the warnings. */
import type { Source } from "../api/types.ts";
import { formatCount, formatRate } from "../format/number.ts";
import { source_tones } from "../now/source_table.tsx";
import { Icon } from "../shell/icons.tsx";
import { InnerLink } from "../shell/link.tsx";
import { Mark } from "../shell/severity.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import { linkPart } from "../url/search.ts";
import { balanceOf, droppedTotal } from "./ledger.ts";

/** Warnings shown of one source, newest first. */
const warnings_shown = 5;

export function SourceCard({ source }: { readonly source: Source }) {
  const balance = balanceOf(source);
  const dropped = Object.entries(source.dropped);
  return (
    <section className="panel source-card" aria-label={`Source ${source.name}`}>
      <header className="source-head">
        <h2>
          <InnerLink to={`/sources/${linkPart(source.name)}`}>
            <Hostile text={source.name} />
          </InnerLink>{" "}
          <span className="dim small">
            <Hostile text={source.type} />
          </span>
        </h2>
        <Mark tone={source_tones[source.state] ?? "quiet"}>{source.state}</Mark>
        <span className="source-rate">{formatRate(source.rate)}</span>
        <span className="dim small">
          {source.last_received === undefined ? (
            "nothing received yet"
          ) : (
            <>
              last <Time iso={source.last_received} digits={0} />
            </>
          )}
        </span>
      </header>
      <dl className="ledger">
        <Part name="in" count={source.in} />
        <Part name="stored" sign="=" count={source.stored} />
        <Part name="dead" sign="+" count={source.dead} bad={source.dead > 0} />
        <Part
          name="dropped"
          sign="+"
          count={droppedTotal(source)}
          bad={dropped.length > 0 && droppedTotal(source) > 0}
          note={dropped.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(", ")}
        />
        <Part name="pending" sign="+" count={source.pending} />
        <div className={`ledger-balance ${balance === 0 ? "" : "strong-bad"}`}>
          <dt className="visually-hidden">balance</dt>
          <dd>
            <Icon name={balance === 0 ? "check" : "warning"} size={14} />
            {balance === 0 ? "balances" : `off by ${formatCount(balance)}`}
          </dd>
        </div>
      </dl>
      {source.warnings.length > 0 && (
        <ul className="warnings">
          {source.warnings.slice(0, warnings_shown).map((warning) => (
            <li key={`${warning.at} ${warning.code}`}>
              <Icon name="warning" size={14} />
              <span>
                <Hostile text={warning.message} /> <code>{warning.code}</code>{" "}
                <span className="dim small">
                  <Time iso={warning.at} digits={0} />
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Part({
  name,
  count,
  bad = false,
  note,
  sign,
}: {
  readonly name: string;
  readonly count: number;
  readonly bad?: boolean;
  readonly note?: string;
  readonly sign?: "=" | "+";
}) {
  return (
    <div className={bad ? "ledger-part ledger-bad" : "ledger-part"} data-sign={sign}>
      <dt>{name}</dt>
      <dd>
        {formatCount(count)}
        {note !== undefined && note !== "" && <span className="ledger-note">{note}</span>}
      </dd>
    </div>
  );
}
