/** What a person is granted, to change: roles, each over all rows or those that a condition lets through, with fields masked. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { Icon } from "../shell/icons.tsx";
import { type GrantForm, new_grant, role_names, role_words } from "./grants.ts";

export interface GrantsEditorProps {
  readonly grants: readonly GrantForm[];
  readonly onChange: (grants: readonly GrantForm[]) => void;
}

export function GrantsEditor({ grants, onChange }: GrantsEditorProps) {
  const change = (at: number, to: Partial<GrantForm>) => onChange(grants.map((one, index) => (index === at ? { ...one, ...to } : one)));
  return (
    <fieldset className="grants">
      <legend className="strong small">Roles</legend>
      {grants.map((grant, at) => {
        const number = `${at + 1}`;
        return (
          <div key={number} className="grant">
            <NativeSelect
              size="xs"
              label={`Role ${number}`}
              description={role_words[grant.role]}
              value={grant.role}
              onChange={(event) => change(at, { role: event.currentTarget.value as GrantForm["role"] })}
              data={role_names}
            />
            <TextInput
              size="xs"
              label="Only events for which"
              description="A condition of the query language; empty: all"
              placeholder="host.name:login*"
              value={grant.rows}
              onChange={(event) => change(at, { rows: event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              label="Without the values of"
              description="Fields, * at the end allowed"
              placeholder="user.name source.geo.*"
              value={grant.masks}
              onChange={(event) => change(at, { masks: event.currentTarget.value })}
            />
            <button
              type="button"
              className="tiny"
              aria-label={`Take role ${number} away`}
              onClick={() => onChange(grants.filter((_, index) => index !== at))}
            >
              <Icon name="cross" size={13} />
            </button>
          </div>
        );
      })}
      <Button size="compact-xs" variant="default" onClick={() => onChange([...grants, new_grant])}>
        Add a role
      </Button>
    </fieldset>
  );
}
