/** How somebody is called, and their address; theirs to change. */
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import type { User } from "../api/access.ts";
import { api } from "../api/client.ts";
import { announce } from "../shell/announce.tsx";
import { Panel } from "../shell/panel.tsx";

export function DetailsPanel({ user }: { readonly user: User }) {
  const client = useQueryClient();
  const [display_name, setName] = useState(user.display_name ?? "");
  const [email, setEmail] = useState(user.email ?? "");
  const save = useMutation({
    mutationFn: () => api.patch("/me", { body: { display_name: display_name.trim(), email: email.trim() } }),
    onSuccess: () => {
      for (const key of ["me", "session"]) void client.invalidateQueries({ queryKey: [key] });
      announce("Saved");
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Panel title="Details">
      <form className="form-line" onSubmit={submit}>
        <TextInput
          size="xs"
          label="Display name"
          value={display_name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={200}
          autoComplete="name"
        />
        <TextInput
          size="xs"
          label="E-mail"
          type="email"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          maxLength={254}
          autoComplete="email"
        />
        <Button type="submit" size="xs" variant="default" loading={save.isPending}>
          Save
        </Button>
        {save.error !== null && (
          <p className="strong-bad" role="alert">
            {save.error.message}
          </p>
        )}
        {save.isSuccess && (
          <p className="dim" role="status">
            Saved.
          </p>
        )}
      </form>
    </Panel>
  );
}
