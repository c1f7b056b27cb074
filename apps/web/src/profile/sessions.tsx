/** One's own sessions, each of which one may end. */
import { SessionTable } from "../access/session_table.tsx";
import { Panel } from "../shell/panel.tsx";

export function OwnSessions() {
  return (
    <Panel title="Your sessions" flush>
      <SessionTable whose="own" may_end />
    </Panel>
  );
}
