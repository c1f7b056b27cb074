/** Every source with its ledger and warnings, senders that were refused, and the dead letters with the reason. */
import { Button, TextInput } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { useNavigate } from "react-router";
import { useSources } from "../now/source_table.tsx";
import { Only } from "../shell/allowed.tsx";
import { PageHead } from "../shell/panel.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { useTitle } from "../shell/title.ts";
import { keepZone, linkPart } from "../url/search.ts";
import { DeadLetters } from "./dead_letters.tsx";
import { Refusals } from "./refusals.tsx";
import { DataTabs } from "./section.tsx";
import { SourceCard } from "./source_card.tsx";

export function SourcesPage() {
  useTitle("Sources");
  const query = useSources();
  return (
    <>
      <PageHead title="Sources">
        <span className="dim small">in = stored + dead + dropped + pending</span>
        <Only needs="sources:write">
          <NewSource />
        </Only>
      </PageHead>
      <DataTabs />
      <Loaded query={query} what="Sources" rows={6}>
        {({ sources }) =>
          sources.length === 0 ? (
            <Empty icon="sources" title="No source is configured yet">
              <p>
                Add one under <code>sources:</code> in <code>vedette.yaml</code>, or name one above for a sender that delivers by itself.
              </p>
            </Empty>
          ) : (
            <div className="source-list">
              {sources.map((source) => (
                <SourceCard key={source.name} source={source} />
              ))}
            </div>
          )
        }
      </Loaded>
      <Refusals />
      <Only needs="events:read" whole>
        <DeadLetters />
      </Only>
    </>
  );
}

/** A source that is delivered to needs no configuration: a name, a token, and the sender's. */
function NewSource() {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    navigate(keepZone(`/sources/${linkPart(name.trim())}`, window.location.search));
  };
  return (
    <form className="head-form" onSubmit={submit}>
      <TextInput
        size="xs"
        aria-label="Name of the source to connect a sender to"
        placeholder="login-nodes"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        required
        maxLength={128}
        pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*"
        title="Letters, digits, . _ -"
      />
      <Button type="submit" size="xs" variant="default">
        Connect a sender
      </Button>
    </form>
  );
}
