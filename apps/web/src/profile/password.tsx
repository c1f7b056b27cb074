/** Changing one's own password; every other session ends by it. */
import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api } from "../api/client.ts";
import { announce } from "../shell/announce.tsx";
import { Panel } from "../shell/panel.tsx";

/** NIST SP 800-63B-4 asks for 8, and for 15 where a password stands alone; the server has the last word. */
const least = 12;

export function PasswordPanel() {
  const client = useQueryClient();
  const [present, setPresent] = useState("");
  const [wanted, setWanted] = useState("");
  const [again, setAgain] = useState("");
  const change = useMutation({
    mutationFn: () => api.post("/me/password", { body: { password: present, new_password: wanted } }),
    onSuccess: () => {
      for (const set of [setPresent, setWanted, setAgain]) set("");
      announce("Your password is changed");
      return client.invalidateQueries();
    },
  });
  const differs = again !== "" && again !== wanted;
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (again === wanted) change.mutate();
  };
  return (
    <Panel title="Password" aside={<span className="dim small">your other sessions end when it changes</span>}>
      <form className="form-line" onSubmit={submit}>
        <PasswordInput
          size="xs"
          label="Present password"
          value={present}
          onChange={(event) => setPresent(event.currentTarget.value)}
          autoComplete="current-password"
          required
          withAsterisk={false}
        />
        <PasswordInput
          size="xs"
          label="New password"
          description={`${least} characters or more; a few words are best`}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          autoComplete="new-password"
          minLength={least}
          required
          withAsterisk={false}
        />
        <PasswordInput
          size="xs"
          label="New password again"
          value={again}
          onChange={(event) => setAgain(event.currentTarget.value)}
          error={differs ? "It differs" : undefined}
          autoComplete="new-password"
          required
          withAsterisk={false}
        />
        <Button type="submit" size="xs" loading={change.isPending}>
          Change password
        </Button>
      </form>
      {change.error !== null && (
        <p className="strong-bad" role="alert">
          {change.error.message}
        </p>
      )}
      {change.isSuccess && (
        <p className="dim" role="status">
          Your password is changed.
        </p>
      )}
    </Panel>
  );
}
