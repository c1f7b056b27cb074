/** Every rule known: its state, what it saw and matched, what it costs and who decided; those that need a person stand on top. */
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { Rule } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { Only } from "../shell/allowed.tsx";
import { Icon } from "../shell/icons.tsx";
import { InnerLink } from "../shell/link.tsx";
import { PageHead } from "../shell/panel.tsx";
import { Mark, Severity } from "../shell/severity.tsx";
import { Empty, Failure, Loading } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { ToggleChips } from "../shell/toggle_chips.tsx";
import { parseList, useSearch } from "../url/search.ts";
import { alertsOf, filterRules, isBlind, isProposed, rule_states } from "./filter.ts";
import { RuleDetails } from "./rule_details.tsx";
import { Versions } from "./versions.tsx";

const tones = { enabled: "good", shadow: "busy", quarantined: "warn", refused: "bad" } as const;
const refresh_ms = 5_000;
/** SigmaHQ alone has thousands of rules; a table of all of them makes every page slow. */
const rows_shown = 200;

interface Answer {
  readonly rules: readonly Rule[];
  readonly hash: string;
  readonly version: number;
}

export function RulesPage() {
  useTitle("Rules");
  const { params, patch } = useSearch();
  const q = params.get("q") ?? "";
  const on = parseList(params.get("state"), rule_states) ?? [];
  const proposed = params.get("proposed") === "1";
  const { data, error, refetch } = useQuery({
    queryKey: ["rules"],
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) => api.get("/rules", { signal }) as Promise<Answer>,
  });
  const shown = data === undefined ? [] : filterRules(data.rules, q, on, proposed);
  return (
    <>
      <PageHead title="Rules">
        {data !== undefined && <Summary answer={data} />}
        <Only needs="backtests:run">
          <InnerLink to="/backtests" className="small">
            Backtests
          </InnerLink>
        </Only>
      </PageHead>
      <search className="filter-bar">
        <ToggleChips
          label="State"
          options={rule_states.map((state) => ({ value: state, show: `${state.charAt(0).toUpperCase()}${state.slice(1)}` }))}
          on={on}
          onChange={(states) => patch({ state: states.length === rule_states.length ? "" : states.join(",") })}
        />
        <Checkbox
          size="xs"
          label="Promotion proposed"
          checked={proposed}
          onChange={(event) => patch({ proposed: event.currentTarget.checked ? "1" : "" })}
        />
        <TextInput
          className="filter-text"
          size="xs"
          aria-label="Search rules"
          placeholder="Title, id, file, ATT&CK id"
          leftSection={<Icon name="search" size={14} />}
          value={q}
          onChange={(event) => patch({ q: event.currentTarget.value }, { replace: true })}
        />
      </search>
      <section className="panel panel-flush" aria-label="Rules">
        {data === undefined ? (
          error ? (
            <Failure error={error} what="Rules" retry={refetch} />
          ) : (
            <Loading what="rules" rows={12} />
          )
        ) : data.rules.length === 0 ? (
          <Empty icon="rules" title="No rule is loaded">
            <p>
              Without rules nothing can raise an alert. Put Sigma rules into a folder of rules.directories, or pull some: vedette rule pull.
            </p>
          </Empty>
        ) : shown.length === 0 ? (
          <Empty icon="search" title="No rule passes the filter">
            <p>
              {q !== "" && <>The text is “{q}”. </>}
              {on.length > 0 && <>The state is {on.join(" or ")}. </>}
              {proposed && <>Only proposed promotions are shown.</>}
            </p>
          </Empty>
        ) : (
          <RuleTable rules={shown} />
        )}
      </section>
      <Versions />
    </>
  );
}

function Summary({ answer }: { readonly answer: Answer }) {
  const counts = rule_states.flatMap((state) => {
    const count = answer.rules.filter((rule) => rule.state === state).length;
    return count === 0 ? [] : [`${formatCount(count)} ${state}`];
  });
  const proposals = answer.rules.filter(isProposed).length;
  const blind = answer.rules.filter(isBlind).length;
  return (
    <span className="dim small">
      {counts.join(", ")}
      {proposals > 0 && `; ${formatCount(proposals)} proposed for promotion`}
      {blind > 0 && `; ${formatCount(blind)} on unknown fields`} · version {answer.version} ·{" "}
      <span className="mono">{answer.hash.slice(0, 12)}</span>
    </span>
  );
}

const counted = (count: number | undefined) => (count === undefined ? <span className="dim">–</span> : formatCount(count));

function RuleTable({ rules }: { readonly rules: readonly Rule[] }) {
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState<string>();
  const rows = all ? rules : rules.slice(0, rows_shown);
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Level</th>
            <th scope="col">Rule</th>
            <th scope="col" className="number">
              Matched
            </th>
            <th scope="col" className="number">
              Seen
            </th>
            <th scope="col" className="number">
              Cost
            </th>
            <th scope="col">Decided by</th>
            <th scope="col">ATT&amp;CK</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((rule) => {
            const key = `${rule.id} ${rule.file}`;
            return <RuleRow key={key} rule={rule} open={open === key} onToggle={() => setOpen(open === key ? undefined : key)} />;
          })}
        </tbody>
      </table>
      {rows.length < rules.length && (
        <div className="panel-pad">
          <Button size="xs" variant="default" onClick={() => setAll(true)}>
            Show all {formatCount(rules.length)}
          </Button>
        </div>
      )}
    </TableScroll>
  );
}

function RuleRow({ rule, open, onToggle }: { readonly rule: Rule; readonly open: boolean; readonly onToggle: () => void }) {
  return (
    <>
      <tr>
        <td>
          <Mark tone={tones[rule.state] ?? "quiet"}>{rule.state}</Mark>
          {isProposed(rule) && <div className="small">promotion proposed</div>}
        </td>
        <td>
          <Severity level={rule.level} />
        </td>
        <td className="cell-main">
          {rule.state === "refused" ? (
            <span className="strong">
              <Hostile text={rule.title} />
            </span>
          ) : (
            <button type="button" className="link-button strong" aria-expanded={open} onClick={onToggle}>
              <Hostile text={rule.title} />
            </button>
          )}
          <div className="cell-sub mono">
            <Hostile text={rule.file} />
          </div>
          {rule.reason !== undefined && (
            <div className="reason">
              <Icon name="warning" size={14} /> <Hostile text={rule.reason} />
            </div>
          )}
          {rule.unknown_fields !== undefined && (
            <div className="reason">
              <Icon name="warning" size={14} /> No event is known to carry <Hostile text={rule.unknown_fields.join(", ")} />
            </div>
          )}
        </td>
        <td className="number">
          {rule.matched ? <InnerLink to={alertsOf(rule)}>{formatCount(rule.matched)}</InnerLink> : counted(rule.matched)}
        </td>
        <td className="number">{counted(rule.seen)}</td>
        <td className="number">
          {(rule.cost_ms ?? 0) < 1 ? <span className="dim">–</span> : `${formatCount(Math.round(rule.cost_ms!))} ms`}
        </td>
        <td>{rule.decision === undefined ? <span className="dim">configuration</span> : <Hostile text={rule.decision.by} />}</td>
        <td className="mono small">
          {rule.attack.length === 0 ? <span className="dim">–</span> : <Hostile text={rule.attack.join(" ")} />}
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={8}>
            <RuleDetails rule={rule} />
          </td>
        </tr>
      )}
    </>
  );
}
