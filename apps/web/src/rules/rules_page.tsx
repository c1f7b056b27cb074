/** Every rule known, what it saw and matched; those that could not be loaded stand on top with the reason. */
import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { request } from "../api/client.ts";
import type { Rule } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { Icon } from "../shell/icons.tsx";
import { InnerLink } from "../shell/link.tsx";
import { PageHead } from "../shell/panel.tsx";
import { Mark, Severity } from "../shell/severity.tsx";
import { Empty, Failure, Loading } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { ToggleChips } from "../shell/toggle_chips.tsx";
import { parseList, patchSearch, useSearch } from "../url/search.ts";
import { filterRules, rule_states } from "./filter.ts";

const tones = { enabled: "good", shadow: "busy", refused: "bad" } as const;
const refresh_ms = 5_000;

export function RulesPage() {
  useTitle("Rules");
  const { params, patch } = useSearch();
  const q = params.get("q") ?? "";
  const on = parseList(params.get("state"), rule_states) ?? [];
  const { data, error, refetch } = useQuery({
    queryKey: ["rules"],
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) => request<{ readonly rules: readonly Rule[]; readonly hash: string }>("/rules", { signal }),
  });
  const refused = data?.rules.filter((rule) => rule.state === "refused").length ?? 0;
  const shown = data === undefined ? [] : filterRules(data.rules, q, on);
  return (
    <>
      <PageHead title="Rules">
        {data !== undefined && (
          <span className="dim small">
            {formatCount(data.rules.length)} rules{refused > 0 && `, ${refused} refused`} · set{" "}
            <span className="mono">{data.hash.slice(0, 12)}</span>
          </span>
        )}
      </PageHead>
      <search className="filter-bar">
        <ToggleChips
          label="State"
          options={rule_states.map((state) => ({ value: state, show: `${state.charAt(0).toUpperCase()}${state.slice(1)}` }))}
          on={on}
          onChange={(states) => patch({ state: states.length === rule_states.length ? "" : states.join(",") })}
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
            <p>Without rules nothing can raise an alert. Put Sigma rules into the rules directory and start again.</p>
          </Empty>
        ) : shown.length === 0 ? (
          <Empty icon="search" title="No rule passes the filter">
            <p>
              {q !== "" && <>The text is “{q}”. </>}
              {on.length > 0 && <>The state is {on.join(" or ")}.</>}
            </p>
          </Empty>
        ) : (
          <RuleTable rules={shown} />
        )}
      </section>
    </>
  );
}

function RuleTable({ rules }: { readonly rules: readonly Rule[] }) {
  return (
    <div className="table-scroll">
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
              Skipped
            </th>
            <th scope="col">ATT&amp;CK</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <RuleRow key={`${rule.id} ${rule.file}`} rule={rule} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RuleRow({ rule }: { readonly rule: Rule }) {
  const skipped = Object.entries(rule.skipped);
  return (
    <tr>
      <td>
        <Mark tone={tones[rule.state] ?? "quiet"}>{rule.state}</Mark>
      </td>
      <td>
        <Severity level={rule.level} />
      </td>
      <td className="cell-main">
        <span className="strong">
          <Hostile text={rule.title} />
        </span>
        <div className="cell-sub mono">
          <Hostile text={rule.file} />
        </div>
        {rule.reason !== undefined && (
          <div className="reason">
            <Icon name="warning" size={14} /> <Hostile text={rule.reason} />
          </div>
        )}
      </td>
      <td className="number">
        {rule.matched > 0 ? (
          <InnerLink to={`/alerts${patchSearch("", { state: "any", rule: rule.id })}`}>{formatCount(rule.matched)}</InnerLink>
        ) : (
          "0"
        )}
      </td>
      <td className="number">{formatCount(rule.seen)}</td>
      <td className="number" title={skipped.map(([reason, count]) => `${reason}: ${formatCount(count)}`).join("\n")}>
        {formatCount(skipped.reduce((sum, [, count]) => sum + count, 0))}
      </td>
      <td className="mono small">{rule.attack.length === 0 ? <span className="dim">–</span> : <Hostile text={rule.attack.join(" ")} />}</td>
    </tr>
  );
}
