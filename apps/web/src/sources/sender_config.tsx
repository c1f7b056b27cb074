/** What a sender is configured with to reach a source, to copy. */
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { Panel } from "../shell/panel.tsx";
import { Snippet } from "../shell/snippet.tsx";
import { Loaded } from "../shell/states.tsx";

/** What stands for the token in the server's text. */
const placeholder = "TOKEN";

export function SenderConfig({ source, token }: { readonly source: string; readonly token: string | undefined }) {
  const [chosen, setChosen] = useState("curl");
  const query = useQuery({
    queryKey: ["senders", source],
    queryFn: ({ signal }) => api.get("/sources/{name}/senders", { path: { name: source }, signal }),
  });
  return (
    <Panel title="Configure a sender">
      <Loaded query={query} what="Configurations">
        {({ senders }) => {
          const config = senders.find(({ name }) => name === chosen) ?? senders[0];
          if (config === undefined) return <p className="dim">This source reads by itself; no sender needs configuring.</p>;
          const text = token === undefined ? config.text : config.text.replaceAll(placeholder, token);
          return (
            <div className="stack">
              <NativeSelect
                size="xs"
                label="Sender"
                className="filter-text"
                value={config.name}
                onChange={(event) => setChosen(event.currentTarget.value)}
                data={senders.map(({ name, summary }) => ({ value: name, label: `${name}: ${summary}` }))}
              />
              <p className="small">
                It belongs in <code>{config.file}</code>.{" "}
                {token === undefined && config.text.includes(placeholder) && (
                  <>
                    Make a token above, and it stands in the place of <code>{placeholder}</code>.
                  </>
                )}
              </p>
              <Snippet text={text} label={`Configuration of ${config.name}`} />
            </div>
          );
        }}
      </Loaded>
    </Panel>
  );
}
