/** What the alert's rule tells whoever reads it: what it means, what to do, what harmless things look the same, and how often it was right. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api } from "../api/client.ts";
import type { Guidance } from "../api/types.ts";
import { Panel } from "../shell/panel.tsx";
import { Failure, Loading } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { openingOf, sureWords } from "./guidance_words.ts";

export function GuidancePanel({ id, state }: { readonly id: string; readonly state: string }) {
  const { data, error, refetch } = useQuery({
    // closing it changes what is counted
    queryKey: ["alert", id, "guidance", state],
    queryFn: ({ signal }) => api.get("/alerts/{id}/guidance", { path: { id }, signal }) as Promise<Guidance>,
    placeholderData: (before) => before,
  });
  return (
    <Panel title="What it means, what to do">
      {data !== undefined ? (
        <GuidanceText guidance={data} />
      ) : error ? (
        <Failure error={error} what="What the rule says" retry={refetch} />
      ) : (
        <Loading what="what the rule says" rows={3} />
      )}
    </Panel>
  );
}

function GuidanceText({ guidance }: { readonly guidance: Guidance }) {
  const { response, falsepositives, references } = guidance;
  return (
    <div className="guidance">
      <Description text={guidance.description} />
      {response.length > 0 && (
        <ol className="guidance-steps">
          {response.map((step) => (
            <li key={step}>
              <Hostile text={step} />
            </li>
          ))}
        </ol>
      )}
      <dl className="facts">
        {falsepositives.length > 0 && <Fact name="Harmless when">{<Lines texts={falsepositives} />}</Fact>}
        <Fact name="How sure">{sureWords(guidance)}</Fact>
        {references.length > 0 && <Fact name="To read">{<Lines texts={references} />}</Fact>}
      </dl>
    </div>
  );
}

/** The first sentences; the rest by a click, since detectors explain themselves at length. */
function Description({ text }: { readonly text: string }) {
  const [opening, rest] = openingOf(text);
  if (opening === "") return <p className="dim">The rule that raised it is there no longer.</p>;
  return (
    <>
      <p>
        <Hostile text={opening} />
      </p>
      {rest !== "" && (
        <details>
          <summary className="dim">How it is found</summary>
          <p>
            <Hostile text={rest} />
          </p>
        </details>
      )}
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** References are of whoever wrote the rule: shown as text, no link is made of them. */
function Lines({ texts }: { readonly texts: readonly string[] }) {
  if (texts.length === 1) return <Hostile text={texts[0]!} />;
  return (
    <ul className="plain-list">
      {texts.map((text) => (
        <li key={text}>
          <Hostile text={text} />
        </li>
      ))}
    </ul>
  );
}
