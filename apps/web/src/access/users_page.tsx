/** The people of the installation: what they are granted, how they prove who they are, when they were last here; adding somebody. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { User } from "../api/access.ts";
import { api } from "../api/client.ts";
import { formatCount } from "../format/number.ts";
import { Only } from "../shell/allowed.tsx";
import { InnerLink } from "../shell/link.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { linkPart } from "../url/search.ts";
import { AddUser } from "./add_user.tsx";
import { grantText } from "./grants.ts";
import { AccessTabs } from "./section.tsx";
import { SessionTable } from "./session_table.tsx";

export function UsersPage() {
  useTitle("People");
  const [adding, setAdding] = useState(false);
  const query = useQuery({
    queryKey: ["users"],
    queryFn: ({ signal }) => api.get("/users", { signal }),
  });
  return (
    <>
      <PageHead title="People">
        <Only needs="users:write">
          <Button size="xs" onClick={() => setAdding(true)}>
            Add somebody…
          </Button>
        </Only>
      </PageHead>
      <AccessTabs />
      <section className="panel panel-flush" aria-label="People">
        <Loaded query={query} what="People" rows={6}>
          {({ users }) =>
            users.length === 0 ? (
              <Empty icon="people" title="Nobody has a name here yet">
                <p>
                  Whoever has the admin token or its link is all there is. Add people, an administrator first: then the audit trail says who
                  did what, and roles say what each may.
                </p>
              </Empty>
            ) : (
              <UserTable users={users} />
            )
          }
        </Loaded>
      </section>
      <Sessions />
      {adding && <AddUser onClose={() => setAdding(false)} />}
    </>
  );
}

function UserTable({ users }: { readonly users: readonly User[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Roles</th>
            <th scope="col">Proves it by</th>
            <th scope="col" className="number">
              Sessions
            </th>
            <th scope="col">Last sign-in</th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <Row key={user.id} user={user} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

export function proofText({ oidc, password, totp }: User): string {
  if (oidc !== undefined) return "provider";
  if (password === "none") return "nothing yet";
  return totp ? "password and codes" : "password";
}

function Row({ user }: { readonly user: User }) {
  return (
    <tr>
      <td className="cell-main">
        <InnerLink to={`/users/${linkPart(user.id)}`}>
          <Hostile text={user.name} />
        </InnerLink>
        <div className="cell-sub">
          <Hostile text={[user.display_name, user.email].filter((one) => one !== undefined).join(", ")} />
        </div>
      </td>
      <td>
        <Mark tone={user.disabled ? "bad" : user.password === "initial" ? "warn" : "good"}>
          {user.disabled ? "disabled" : user.password === "initial" ? "first password" : "active"}
        </Mark>
      </td>
      <td>
        {user.grants.length === 0 ? (
          <span className="dim">none</span>
        ) : (
          user.grants.map((grant) => (
            <div key={JSON.stringify(grant)} className="wrap">
              <Hostile text={grantText(grant)} />
            </div>
          ))
        )}
      </td>
      <td>{proofText(user)}</td>
      <td className="number">{formatCount(user.sessions)}</td>
      <td>{user.last_sign_in === undefined ? <span className="dim">never</span> : <Time iso={user.last_sign_in} digits={0} />}</td>
    </tr>
  );
}

/** Asked for when opened: the list is long where many people are. */
function Sessions() {
  const [open, setOpen] = useState(false);
  return (
    <Panel
      title="Everybody's sessions"
      flush
      aside={
        <Button size="compact-xs" variant="default" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide" : "Show"}
        </Button>
      }
    >
      {open && <SessionTable whose="all" may_end named />}
    </Panel>
  );
}
