/** Adds somebody: a name, what they may, and a first password that is shown this once. */
import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api } from "../api/client.ts";
import { FirstPassword } from "./first_password.tsx";
import { type GrantForm, grantOf, new_grant } from "./grants.ts";
import { GrantsEditor } from "./grants_editor.tsx";

export function AddUser({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [display_name, setDisplayName] = useState("");
  const [email, setEmail] = useState("");
  const [grants, setGrants] = useState<readonly GrantForm[]>([new_grant]);
  const add = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), display_name: display_name.trim(), email: email.trim(), grants: grants.map((one) => grantOf(one)) };
      return api.post("/users", { body });
    },
    onSuccess: () => void client.invalidateQueries({ queryKey: ["users"] }),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Add somebody" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      {add.data !== undefined ? (
        <div className="dialog-form">
          <FirstPassword name={add.data.user.name} password={add.data.initial_password ?? ""} />
          <div className="dialog-buttons">
            <Button onClick={onClose}>Done</Button>
          </div>
        </div>
      ) : (
        <form className="dialog-form" onSubmit={submit}>
          <TextInput
            label="Name"
            description="What they sign in with: letters, digits, . _ - @"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoCapitalize="none"
            maxLength={64}
            required
            data-autofocus
          />
          <div className="form-line">
            <TextInput
              label="Display name"
              value={display_name}
              onChange={(event) => setDisplayName(event.currentTarget.value)}
              maxLength={200}
            />
            <TextInput
              label="E-mail"
              type="email"
              value={email}
              onChange={(event) => setEmail(event.currentTarget.value)}
              maxLength={254}
            />
          </div>
          <GrantsEditor grants={grants} onChange={setGrants} />
          {add.error !== null && (
            <p className="strong-bad" role="alert">
              {add.error.message}
            </p>
          )}
          <div className="dialog-buttons">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={add.isPending}>
              Add
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
