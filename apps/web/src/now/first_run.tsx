/** What to do while there is nothing yet: the first event in one command, a file source, or the demo. */
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { Only } from "../shell/allowed.tsx";
import { Icon } from "../shell/icons.tsx";
import { Panel } from "../shell/panel.tsx";
import { Snippet } from "../shell/snippet.tsx";

const line = `{"@timestamp":"NOW","host.name":"web-1","event.action":"hello","message":"first event"}`;

function curlExample(origin: string): string {
  return [
    `curl ${origin}/ingest \\`,
    `  -H "Authorization: Bearer $(cat data/admin.token)" \\`,
    `  -H "Content-Type: application/x-ndjson" \\`,
    `  --data '${line.replace("NOW", new Date().toISOString())}'`,
  ].join("\n");
}

const file_example = ["# vedette.yaml", "sources:", "  sshd:", "    file:", "      paths: [/var/log/auth.log]"].join("\n");

export function FirstRun() {
  const demo = useMutation({ mutationFn: () => api.post("/demo") });
  return (
    <Panel title="Nothing has arrived yet: three ways to start" className="first-run">
      <ol>
        <li>
          <h3>Send one event</h3>
          <p className="dim">It shows up on this page within a second.</p>
          <Snippet text={curlExample(window.location.origin)} label="Command to send one event" />
        </li>
        <li>
          <h3>Follow a log file</h3>
          <p className="dim">
            Put this into <code>vedette.yaml</code> and start again with <code>vedette up --config vedette.yaml</code>.
          </p>
          <Snippet text={file_example} label="Configuration of a file source" />
        </li>
        <Only needs="system:write">
          <li>
            <h3>Watch the demo</h3>
            <p className="dim">Replays a labelled attack through the real ingest path. It can be removed with one click.</p>
            <Button size="sm" loading={demo.isPending} onClick={() => demo.mutate()} leftSection={<Icon name="play" />}>
              Start the demo
            </Button>
            {demo.error !== null && <p className="strong-bad">{demo.error.message}</p>}
          </li>
        </Only>
      </ol>
    </Panel>
  );
}
