/** One source: whether it sends, what became of its records, what is not all right, and how a sender is connected to it. */
import { useState } from "react";
import { useParams } from "react-router";
import { useSources } from "../now/source_table.tsx";
import { useQuality } from "../quality/data.ts";
import { troubleOf } from "../quality/trouble.ts";
import { TroubleTable } from "../quality/trouble_table.tsx";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Refusals } from "./refusals.tsx";
import { DataTabs } from "./section.tsx";
import { SenderConfig } from "./sender_config.tsx";
import { SourceCard } from "./source_card.tsx";
import { Tokens } from "./tokens.tsx";

export function SourcePage() {
  const { name = "" } = useParams();
  // Another source is another page: a token made for one is not shown beside another.
  return <OneSource key={name} name={name} />;
}

function OneSource({ name }: { readonly name: string }) {
  useTitle(name);
  const sources = useSources();
  const quality = useQuality();
  const [fresh, setFresh] = useState<string>();
  const judged = quality.data?.sources.find((one) => one.name === name);
  const troubles = judged === undefined ? [] : troubleOf(judged);
  return (
    <>
      <p className="crumbs">
        <InnerLink to="/sources">Sources</InnerLink>
      </p>
      <PageHead title={<Hostile text={name} />} />
      <DataTabs />
      <Loaded query={sources} what="The source" rows={3}>
        {({ sources: all }) => {
          const source = all.find((one) => one.name === name);
          return source === undefined ? <Waiting name={name} /> : <SourceCard source={source} />;
        }}
      </Loaded>
      {troubles.length > 0 && (
        <Panel title="What is not all right" flush>
          <TroubleTable troubles={troubles} />
        </Panel>
      )}
      <Tokens source={name} fresh={fresh} onFresh={setFresh} />
      <SenderConfig source={name} token={fresh} />
      <Refusals source={name} />
    </>
  );
}

function Waiting({ name }: { readonly name: string }) {
  return (
    <section className="panel" aria-label="Waiting">
      <Empty icon="clock" title="Waiting for the first event">
        <p role="status">
          Nothing has come for <Hostile text={name} /> yet. Make a token, copy the sender's configuration from below, and this page shows
          the first record as it arrives.
        </p>
      </Empty>
    </section>
  );
}
