/** One rule opened in the table: who decided, what a promotion still lacks, its history, and what can be done with it. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { Rule, RuleInFull } from "../api/types.ts";
import { formatCount } from "../format/number.ts";
import { Only } from "../shell/allowed.tsx";
import { InnerLink } from "../shell/link.tsx";
import { Failure, Loading } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { Time } from "../shell/zone.tsx";
import type { RuleAction } from "./actions.ts";
import { DecideDialog } from "./decide_dialog.tsx";
import { alertsOf } from "./filter.ts";

type Offer = { readonly action: RuleAction; readonly title: string };

/** What can be decided of a rule in its state. */
function offersFor({ id, state }: Rule): readonly Offer[] {
  const to = (next: "enabled" | "shadow" | "quarantined", title: string): Offer => ({ action: { do: "state", id, state: next }, title });
  if (state === "shadow") return [{ action: { do: "promote", id }, title: "Promote" }, to("quarantined", "Quarantine")];
  if (state === "enabled") return [to("shadow", "Put on trial"), to("quarantined", "Quarantine")];
  return state === "quarantined" ? [to("enabled", "Enable"), to("shadow", "Put on trial")] : [];
}

export function RuleDetails({ rule }: { readonly rule: Rule }) {
  const [deciding, setDeciding] = useState<Offer>();
  const { data, error, refetch } = useQuery({
    queryKey: ["rule", rule.id],
    queryFn: ({ signal }) => api.get("/rules/{id}", { path: { id: rule.id }, signal }) as Promise<RuleInFull>,
  });
  if (data === undefined) return error ? <Failure error={error} what="The rule" retry={refetch} /> : <Loading what="the rule" rows={3} />;
  return (
    <div className="rule-details">
      {data.description !== "" && (
        <p>
          <Hostile text={data.description} />
        </p>
      )}
      {data.response.length > 0 && (
        <ol className="guidance-steps" aria-label="What to do">
          {data.response.map((step) => (
            <li key={step}>
              <Hostile text={step} />
            </li>
          ))}
        </ol>
      )}
      <Facts rule={data} />
      {data.history.length > 0 && <History rule={data} />}
      <div className="alert-actions">
        <Only needs="rules:write">
          {offersFor(data).map((offer) => (
            <Button key={offer.title} size="xs" variant="default" onClick={() => setDeciding(offer)}>
              {offer.title}…
            </Button>
          ))}
        </Only>
        <InnerLink to={alertsOf(data)} className="button-link">
          {data.state === "shadow" ? "What it found" : "Its alerts"}
        </InnerLink>
      </div>
      {deciding !== undefined && <DecideDialog {...deciding} subject={data.title} onClose={() => setDeciding(undefined)} />}
    </div>
  );
}

function Facts({ rule }: { readonly rule: RuleInFull }) {
  const { decision, missing } = rule;
  return (
    <dl className="facts">
      <dt>Id</dt>
      <dd className="mono">
        <Hostile text={rule.id} />
      </dd>
      <dt>Author</dt>
      <dd>{rule.author === "" ? <span className="dim">not said</span> : <Hostile text={rule.author} />}</dd>
      {rule.falsepositives.length > 0 && (
        <>
          <dt>Harmless when</dt>
          <dd>
            <Hostile text={rule.falsepositives.join("; ")} />
          </dd>
        </>
      )}
      <dt>Decided</dt>
      <dd>
        {decision === undefined ? (
          "on because the configuration names it"
        ) : (
          <>
            <Time iso={decision.at} digits={0} /> by <Hostile text={decision.by} />: <Hostile text={decision.reason} />
            {decision.changed && <span className="strong-bad"> Its content has changed since.</span>}
          </>
        )}
      </dd>
      {decision?.owner !== undefined && (
        <>
          <dt>Owner</dt>
          <dd>
            <Hostile text={decision.owner} />
            {decision.review !== undefined && `, to be reviewed by ${decision.review}`}
          </dd>
        </>
      )}
      {rule.capped !== undefined && rule.capped > 0 && (
        <>
          <dt>Not told</dt>
          <dd>{formatCount(rule.capped)} matches beyond what one rule may tell</dd>
        </>
      )}
      {missing !== undefined && (
        <>
          <dt>Promotion</dt>
          <dd>
            {missing.length === 0 ? (
              "proposed: nothing is missing"
            ) : (
              <>
                missing:{" "}
                <ul className="plain-list">
                  {missing.map((one) => (
                    <li key={one}>
                      <Hostile text={one} />
                    </li>
                  ))}
                </ul>
              </>
            )}
          </dd>
        </>
      )}
    </dl>
  );
}

function History({ rule }: { readonly rule: RuleInFull }) {
  return (
    <table className="grid" aria-label={`History of ${rule.title}`}>
      <thead>
        <tr>
          <th scope="col" className="number">
            Version
          </th>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">State</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {rule.history.map((one) => (
          <tr key={one.version}>
            <td className="number">{one.version}</td>
            <td>
              <Time iso={one.at} digits={0} />
            </td>
            <td>
              <Hostile text={one.by} />
            </td>
            <td>{one.state}</td>
            <td>
              <Hostile text={one.reason} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
