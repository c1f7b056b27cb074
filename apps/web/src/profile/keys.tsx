/** One's own API keys: made for a part of what one may, shown this once, taken back. */
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { KeyTable } from "../access/key_table.tsx";
import type { Permission, WhoIs } from "../api/access.ts";
import { api } from "../api/client.ts";
import { Panel } from "../shell/panel.tsx";
import { Snippet } from "../shell/snippet.tsx";

/** What the server gives where none is said. */
const standard_days = "90";

export function OwnKeys({ who }: { readonly who: WhoIs }) {
  const [making, setMaking] = useState(false);
  const [token, setToken] = useState<string>();
  return (
    <Panel
      title="API keys"
      flush
      aside={
        <Button size="compact-xs" variant="default" aria-expanded={making} onClick={() => setMaking(!making)}>
          Make a key…
        </Button>
      }
    >
      {token !== undefined && (
        <div className="panel-pad">
          <div className="notice notice-info" role="status">
            <div className="notice-text">
              <strong>Copy it now: it is not shown again.</strong>
              <Snippet text={token} label="New key" />
            </div>
          </div>
        </div>
      )}
      {making && (
        <NewKey
          permissions={who.permissions}
          done={(made) => {
            setToken(made);
            setMaking(false);
          }}
        />
      )}
      <KeyTable may_revoke />
    </Panel>
  );
}

function NewKey({ permissions, done }: { readonly permissions: readonly string[]; readonly done: (token: string) => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [days, setDays] = useState(standard_days);
  const [scope, setScope] = useState<readonly string[]>([]);
  const make = useMutation({
    mutationFn: () => api.post("/keys", { body: { name: name.trim(), scope: scope as readonly Permission[], days: Number(days) } }),
    onSuccess: ({ token }) => {
      void client.invalidateQueries({ queryKey: ["keys"] });
      done(token);
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form className="stack panel-pad" onSubmit={submit}>
      <div className="form-line">
        <TextInput
          size="xs"
          label="What it is for"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={100}
          required
          withAsterisk={false}
        />
        <TextInput
          size="xs"
          label="Days it is good for"
          inputMode="numeric"
          pattern="[1-9][0-9]{0,3}"
          title="A number"
          value={days}
          onChange={(event) => setDays(event.currentTarget.value)}
          required
          withAsterisk={false}
        />
      </div>
      <fieldset className="check-list">
        <legend className="small strong">It may</legend>
        {permissions.map((one) => (
          <Checkbox
            key={one}
            size="xs"
            label={one}
            checked={scope.includes(one)}
            onChange={() => setScope(scope.includes(one) ? scope.filter((other) => other !== one) : [...scope, one])}
          />
        ))}
      </fieldset>
      <div className="action-bar">
        <Button type="submit" size="xs" loading={make.isPending} disabled={scope.length === 0}>
          Make the key
        </Button>
        {make.error !== null && (
          <span className="strong-bad" role="alert">
            {make.error.message}
          </span>
        )}
      </div>
    </form>
  );
}
