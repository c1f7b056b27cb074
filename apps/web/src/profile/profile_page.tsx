/** What somebody sees and changes of themselves: profile, password, one-time codes, sessions, what they may. */
import { useQuery } from "@tanstack/react-query";
import { grantText } from "../access/grants.ts";
import type { WhoIs } from "../api/access.ts";
import { api } from "../api/client.ts";
import { useSession } from "../api/session.ts";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Loaded } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { DetailsPanel } from "./details.tsx";
import { OwnKeys } from "./keys.tsx";
import { PasswordPanel } from "./password.tsx";
import { OwnSessions } from "./sessions.tsx";
import { TotpPanel } from "./totp.tsx";

export const me_key = ["me"] as const;

export function ProfilePage() {
  useTitle("Your profile");
  const session = useSession();
  return (
    <Loaded query={session} what="Your profile">
      {(who) => (
        <>
          <PageHead title={<Hostile text={who.display_name ?? who.user} />}>
            <span className="dim small">{who.kind === "user" ? <Hostile text={who.user} /> : "the shared admin token"}</span>
          </PageHead>
          {who.kind === "user" ? (
            <Own who={who} />
          ) : (
            <Panel title="Nobody in particular">
              <p>
                You signed in with the admin token or its link, which several people may have. Add people under Access and sign in by name:
                then the audit trail says who did what, and actions can be approved.
              </p>
            </Panel>
          )}
          {who.duty === undefined && <OwnKeys who={who} />}
          <May who={who} />
        </>
      )}
    </Loaded>
  );
}

/** A duty comes first, alone: nothing else is permitted until it is done. */
function Own({ who }: { readonly who: WhoIs }) {
  const me = useQuery({ queryKey: me_key, queryFn: ({ signal }) => api.get("/me", { signal }) });
  return (
    <Loaded query={me} what="Your profile" rows={6}>
      {(user) => (
        <>
          {who.duty !== undefined && (
            <p className="notice notice-bad" role="alert">
              {who.duty === "change_password"
                ? "Your password was made for you. Choose one of your own, and everything else opens."
                : "Your role asks for one-time codes. Set them up, and everything else opens."}
            </p>
          )}
          {user.password !== "none" && who.duty !== "enrol_totp" && <PasswordPanel />}
          {user.password !== "none" && who.duty !== "change_password" && <TotpPanel user={user} />}
          {user.oidc !== undefined && (
            <Panel title="Signed in by a provider">
              <p>
                <Hostile text={user.oidc.issuer} /> keeps your password and codes.
              </p>
            </Panel>
          )}
          <DetailsPanel user={user} />
          <OwnSessions />
        </>
      )}
    </Loaded>
  );
}

function May({ who }: { readonly who: WhoIs }) {
  return (
    <Panel title="What you may">
      {who.grants.length === 0 ? (
        <p className="dim">Nobody has given you a role yet.</p>
      ) : (
        <ul className="step-list">
          {who.grants.map((grant) => (
            <li key={JSON.stringify(grant)}>
              <Hostile text={grantText(grant)} />
            </li>
          ))}
        </ul>
      )}
      {who.permissions.length > 0 && <p className="dim small mono">{who.permissions.join("  ")}</p>}
    </Panel>
  );
}
