/** Machines: which there are and how they are, enrolling one by a token shown once, taking one's certificates back. */
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import type { Machine } from "../api/access.ts";
import { api } from "../api/client.ts";
import { useMay } from "../api/session.ts";
import { announce } from "../shell/announce.tsx";
import { PageHead, Panel } from "../shell/panel.tsx";
import { ReasonDialog } from "../shell/reason_dialog.tsx";
import { Mark } from "../shell/severity.tsx";
import { Snippet } from "../shell/snippet.tsx";
import { Empty, Loaded } from "../shell/states.tsx";
import { TableScroll } from "../shell/table_scroll.tsx";
import { Hostile } from "../shell/text.tsx";
import { useTitle } from "../shell/title.ts";
import { Time } from "../shell/zone.tsx";
import { enrolCommand } from "./enrol_command.ts";
import { AccessTabs } from "./section.tsx";

const tones = { active: "good", silent: "quiet", stale: "warn", expired: "bad", revoked: "quiet" } as const;
const key = ["machines"] as const;
const refresh_ms = 10_000;

export function MachinesPage() {
  useTitle("Machines");
  const may_write = useMay("machines:write");
  const [revoking, setRevoking] = useState<Machine>();
  const query = useQuery({
    queryKey: key,
    refetchInterval: refresh_ms,
    queryFn: ({ signal }) => api.get("/machines", { signal }),
  });
  return (
    <>
      <PageHead title="Machines" />
      <AccessTabs />
      {may_write && <Enrol />}
      <section className="panel panel-flush" aria-label="Machines">
        <Loaded query={query} what="Machines" rows={6}>
          {({ machines }) =>
            machines.length === 0 ? (
              <Empty icon="sources" title="No machine is enrolled">
                <p>A machine that is enrolled has a certificate of its own and may deliver under its own name.</p>
              </Empty>
            ) : (
              <MachineTable machines={machines} revoke={may_write ? setRevoking : undefined} />
            )
          }
        </Loaded>
      </section>
      {revoking !== undefined && <RevokeDialog machine={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

function MachineTable({
  machines,
  revoke,
}: {
  readonly machines: readonly Machine[];
  readonly revoke: ((machine: Machine) => void) | undefined;
}) {
  return (
    <TableScroll>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Machine</th>
            <th scope="col">State</th>
            <th scope="col">Health</th>
            <th scope="col">Certificate until</th>
            <th scope="col">Enrolled</th>
            {revoke !== undefined && (
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {machines.map((machine) => (
            <Row key={machine.id} machine={machine} revoke={revoke} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Row({ machine, revoke }: { readonly machine: Machine; readonly revoke: ((machine: Machine) => void) | undefined }) {
  const { name, role, state, created, expires, report, revoked } = machine;
  return (
    <tr>
      <td className="cell-main">
        <span className="strong">
          <Hostile text={name} />
        </span>{" "}
        <span className="dim small">
          <Hostile text={role} />
        </span>
        {report?.address !== undefined && (
          <div className="cell-sub mono">
            <Hostile text={report.address} />
          </div>
        )}
      </td>
      <td>
        <Mark tone={tones[state] ?? "quiet"}>{state}</Mark>
        {revoked !== undefined && (
          <div className="cell-sub">
            <Time iso={revoked.at} digits={0} />: <Hostile text={revoked.reason} />
          </div>
        )}
      </td>
      <td>
        {report === undefined ? (
          <span className="dim">nothing said</span>
        ) : (
          <>
            <Hostile text={report.health} />{" "}
            {report.version !== undefined && (
              <span className="dim small">
                <Hostile text={report.version} />
              </span>
            )}
            <div className="cell-sub">
              <Time iso={report.at} digits={0} />
              {report.detail !== undefined && (
                <>
                  : <Hostile text={report.detail} />
                </>
              )}
            </div>
          </>
        )}
      </td>
      <td>{expires === undefined ? <span className="dim">–</span> : <Time iso={expires} digits={0} />}</td>
      <td>
        <Time iso={created} digits={0} />
      </td>
      {revoke !== undefined && (
        <td>
          {state !== "revoked" && (
            <Button size="compact-xs" variant="default" onClick={() => revoke(machine)} aria-label={`Revoke… ${machine.id}`}>
              Revoke…
            </Button>
          )}
        </td>
      )}
    </tr>
  );
}

function Enrol() {
  const client = useQueryClient();
  const [role, setRole] = useState("agent");
  const [name, setName] = useState("");
  const authority = useQuery({
    queryKey: ["machine-authority"],
    queryFn: ({ signal }) => api.get("/machines/authority", { signal }),
  });
  const make = useMutation({
    mutationFn: (body: { readonly role: string; readonly name: string }) => api.post("/machines/tokens", { body }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: key });
      setName("");
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    make.mutate({ role: role.trim(), name: name.trim() });
  };
  return (
    <Panel title="Enrol a machine" aside={authority.data && <span className="dim small">trust domain {authority.data.trust_domain}</span>}>
      <form className="form-line" onSubmit={submit}>
        <TextInput
          size="xs"
          label="Role"
          value={role}
          onChange={(event) => setRole(event.currentTarget.value)}
          required
          maxLength={32}
          pattern="[a-z][a-z0-9_\-]*"
          title="A lower case word, such as agent"
        />
        <TextInput
          size="xs"
          label="Name"
          placeholder="node17"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          required
          maxLength={128}
          pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*"
          title="Letters, digits, . _ -"
        />
        <Button type="submit" size="xs" loading={make.isPending}>
          Make a token
        </Button>
      </form>
      {make.error !== null && (
        <p className="strong-bad" role="alert">
          {make.error.message}
        </p>
      )}
      {make.data !== undefined && (
        <div className="notice notice-info" role="status">
          <div className="notice-text stack">
            <p>
              <strong>Shown only now.</strong> It enrols <Hostile text={make.data.id} /> once, until{" "}
              <Time iso={make.data.expires} digits={0} />.
            </p>
            <Snippet text={enrolCommand(make.data, authority.data?.listening)} label="To enrol with" />
            {authority.data !== undefined && authority.data.listening === undefined && (
              <p className="strong-bad">
                No port for machines is open: set <code>machines.listen</code>.
              </p>
            )}
          </div>
        </div>
      )}
    </Panel>
  );
}

function RevokeDialog({ machine, onClose }: { readonly machine: Machine; readonly onClose: () => void }) {
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: (reason: string) => api.delete("/machines/{id}", { path: { id: machine.id }, query: { reason } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: key });
      announce(`${machine.id} is revoked`);
      onClose();
    },
  });
  return (
    <ReasonDialog
      title="Revoke"
      subject={`${machine.id}: its certificates, and tokens for it that are still open, are refused from now on.`}
      busy={act.isPending}
      error={act.error}
      onSubmit={(reason) => act.mutate(reason)}
      onClose={onClose}
    />
  );
}
