/** One person, as whoever administers people sees and changes them: roles, being disabled, a new first password, sessions. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useNavigate, useParams } from "react-router";
import type { User, UserWithPassword } from "../api/access.ts";
import { api } from "../api/client.ts";
import { useMay } from "../api/session.ts";
import { announce } from "../shell/announce.tsx";
import { Confirm } from "../shell/confirm.tsx";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Loaded } from "../shell/states.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { keepZone } from "../url/search.ts";
import { FirstPassword } from "./first_password.tsx";
import { formOf, grantOf, grantText } from "./grants.ts";
import { GrantsEditor } from "./grants_editor.tsx";
import { KeyTable } from "./key_table.tsx";
import { AccessTabs } from "./section.tsx";
import { SessionTable } from "./session_table.tsx";
import { proofText } from "./users_page.tsx";

export function UserPage() {
  const { id = "" } = useParams();
  const query = useQuery({ queryKey: ["users", id], queryFn: ({ signal }) => api.get("/users/{id}", { path: { id }, signal }) });
  useTitle(query.data?.name ?? "Somebody");
  return (
    <>
      <p className="crumbs">
        <InnerLink to="/users">People</InnerLink>
      </p>
      <Loaded query={query} what="This person" rows={6}>
        {(user) => <Person key={user.id} user={user} />}
      </Loaded>
    </>
  );
}

function Person({ user }: { readonly user: User }) {
  const may_write = useMay("users:write");
  return (
    <>
      <PageHead title={<Hostile text={user.name} />}>
        <Mark tone={user.disabled ? "bad" : "good"}>{user.disabled ? "disabled" : "active"}</Mark>
      </PageHead>
      <AccessTabs />
      <Panel title="Known as">
        <dl className="facts">
          <dt>Display name</dt>
          <dd>{user.display_name === undefined ? <span className="dim">none</span> : <Hostile text={user.display_name} />}</dd>
          <dt>E-mail</dt>
          <dd>{user.email === undefined ? <span className="dim">none</span> : <Hostile text={user.email} />}</dd>
          <dt>Proves it by</dt>
          <dd>
            {proofText(user)}
            {user.oidc !== undefined && (
              <>
                {" "}
                <Hostile text={`${user.oidc.issuer} as ${user.oidc.subject}`} />
              </>
            )}
          </dd>
          <dt>Added</dt>
          <dd>
            <Time iso={user.created} digits={0} />
          </dd>
          <dt>Last sign-in</dt>
          <dd>{user.last_sign_in === undefined ? <span className="dim">never</span> : <Time iso={user.last_sign_in} digits={0} />}</dd>
        </dl>
      </Panel>
      {may_write ? <Roles user={user} /> : <RolesShown user={user} />}
      {may_write && <Actions user={user} />}
      <Panel title="API keys" flush>
        <KeyTable owner={user.id} may_revoke={may_write} />
      </Panel>
      <Panel title="Sessions" flush>
        <SessionTable whose={{ user: user.id }} may_end={may_write} />
      </Panel>
    </>
  );
}

function RolesShown({ user }: { readonly user: User }) {
  return (
    <Panel title="Roles">
      <ul className="plain-list">
        {user.grants.map((grant) => (
          <li key={JSON.stringify(grant)}>
            <Hostile text={grantText(grant)} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Roles({ user }: { readonly user: User }) {
  const client = useQueryClient();
  const [grants, setGrants] = useState(() => user.grants.map(formOf));
  const save = useMutation({
    mutationFn: () =>
      api.patch("/users/{id}", { path: { id: user.id }, body: { grants: grants.map((form, at) => grantOf(form, user.grants[at])) } }),
    onSuccess: () => {
      for (const key of ["users", "sessions"]) void client.invalidateQueries({ queryKey: [key] });
      announce("The roles are changed");
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Panel title="What they may" aside={<span className="dim small">other roles end their sessions</span>}>
      <form className="stack" onSubmit={submit}>
        <GrantsEditor grants={grants} onChange={(next) => setGrants([...next])} />
        <div className="action-bar">
          <Button type="submit" size="xs" loading={save.isPending}>
            Save roles
          </Button>
          {save.error !== null && (
            <span className="strong-bad" role="alert">
              {save.error.message}
            </span>
          )}
          {save.isSuccess && (
            <span className="dim" role="status">
              Saved.
            </span>
          )}
        </div>
      </form>
    </Panel>
  );
}

type Act = "disable" | "enable" | "reset" | "end" | "remove";

const acts: { readonly [act in Act]: { readonly title: string; readonly does: string } } = {
  disable: { title: "Disable", does: "cannot sign in any more, and is signed out everywhere, at once." },
  enable: { title: "Enable", does: "can sign in again." },
  reset: { title: "Reset", does: "gets a new first password; one-time codes are taken off, and every session ends." },
  end: { title: "End all sessions", does: "is signed out everywhere, at once." },
  remove: { title: "Remove", does: "is removed for good; what they did stays in the audit trail." },
};

function send({ id }: User, act: Act): Promise<unknown> {
  if (act === "reset") return api.post("/users/{id}/reset", { path: { id }, body: {} });
  if (act === "end") return api.delete("/users/{id}/sessions", { path: { id } });
  if (act === "remove") return api.delete("/users/{id}", { path: { id } });
  return api.patch("/users/{id}", { path: { id }, body: { disabled: act === "disable" } });
}

function Actions({ user }: { readonly user: User }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState<Act>();
  const [password, setPassword] = useState<string>();
  const act = useMutation({
    mutationFn: (what: Act) => send(user, what),
    onSuccess: (answer, what) => {
      setAsking(undefined);
      announce(`${user.name}: ${acts[what].title.toLowerCase()}, done`);
      if (what === "reset") setPassword((answer as UserWithPassword).initial_password);
      if (what === "remove") navigate(keepZone("/users", window.location.search));
      for (const key of ["users", "sessions"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const offers: readonly Act[] = [
    user.disabled ? "enable" : "disable",
    ...(user.oidc === undefined ? ["reset" as const] : []),
    "end",
    "remove",
  ];
  return (
    <Panel title="Access">
      <div className="stack">
        {password !== undefined && <FirstPassword name={user.name} password={password} />}
        <div className="action-bar">
          {offers.map((offer) => (
            <Button
              key={offer}
              size="xs"
              variant="default"
              onClick={() => {
                act.reset();
                setAsking(offer);
              }}
            >
              {acts[offer].title}…
            </Button>
          ))}
        </div>
      </div>
      {asking !== undefined && (
        <Confirm
          title={acts[asking].title}
          subject={`${user.name} ${acts[asking].does}`}
          busy={act.isPending}
          error={act.error}
          onConfirm={() => act.mutate(asking)}
          onClose={() => setAsking(undefined)}
        />
      )}
    </Panel>
  );
}
