/** What each role permits, and why somebody may or may not do something. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import type { Permission, RoleLine } from "../api/access.ts";
import { api } from "../api/client.ts";
import { PageHead, Panel } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { AccessTabs } from "./section.tsx";

export function RolesPage() {
  useTitle("Roles");
  const query = useQuery({
    queryKey: ["roles"],
    queryFn: ({ signal }) => api.get("/access/roles", { signal }),
  });
  return (
    <>
      <PageHead title="Roles" />
      <AccessTabs />
      <Loaded query={query} what="Roles" rows={10}>
        {({ roles }) => {
          const permissions = [...new Set(roles.flatMap((one) => one.permissions))].sort();
          return (
            <>
              <Explain permissions={permissions} />
              <section className="panel panel-flush" aria-label="Roles">
                <Matrix roles={roles} permissions={permissions} />
              </section>
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function Matrix({ roles, permissions }: { readonly roles: readonly RoleLine[]; readonly permissions: readonly string[] }) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Permission</th>
            {roles.map(({ role }) => (
              <th key={role} scope="col">
                {role}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {permissions.map((permission) => (
            <tr key={permission}>
              <th scope="row" className="mono">
                {permission}
              </th>
              {roles.map(({ role, permissions: of }) => (
                <td key={role}>{of.includes(permission) ? <Mark tone="good">may</Mark> : <span className="dim">–</span>}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Explain({ permissions }: { readonly permissions: readonly string[] }) {
  const [user, setUser] = useState("");
  const [action, setAction] = useState(permissions[0] ?? "");
  const [resource, setResource] = useState("");
  const ask = useMutation({
    mutationFn: () => api.get("/access/explain", { query: { user: user.trim(), action: action as Permission, resource: resource.trim() } }),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    ask.mutate();
  };
  return (
    <Panel title="Why may somebody, or not?">
      <form className="form-line" onSubmit={submit}>
        <TextInput
          size="xs"
          label="Person"
          description="Empty: you"
          value={user}
          onChange={(event) => setUser(event.currentTarget.value)}
        />
        <NativeSelect
          size="xs"
          label="Permission"
          value={action}
          onChange={(event) => setAction(event.currentTarget.value)}
          data={[...permissions]}
        />
        <TextInput
          size="xs"
          label="Event or alert"
          description="Its id, if it is about one"
          value={resource}
          onChange={(event) => setResource(event.currentTarget.value)}
        />
        <Button type="submit" size="xs" variant="default" loading={ask.isPending}>
          Explain
        </Button>
      </form>
      {ask.error !== null && (
        <p className="strong-bad" role="alert">
          {ask.error.message}
        </p>
      )}
      {ask.data !== undefined && (
        <div role="status">
          <p>
            <Mark tone={ask.data.allowed ? "good" : "bad"}>{ask.data.allowed ? "may" : "may not"}</Mark> <Hostile text={ask.data.user} />:{" "}
            <code>{ask.data.action}</code>
          </p>
          <ul className="step-list">
            {ask.data.because.map((line) => (
              <li key={line}>
                <Hostile text={line} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  );
}
