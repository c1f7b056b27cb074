/** The text behind a pseudonym, told for a reason that goes on record first. */
import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api } from "../api/client.ts";
import { Panel } from "../shell/panel.tsx";
import { Hostile } from "../shell/text.tsx";

export function RevealPanel() {
  const [pseudonym, setPseudonym] = useState("");
  const [reason, setReason] = useState("");
  const act = useMutation({
    mutationFn: (body: { readonly pseudonym: string; readonly reason: string }) => api.post("/reveal", { body }),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    act.mutate({ pseudonym: pseudonym.trim(), reason: reason.trim() });
  };
  return (
    <Panel
      title="Reveal a pseudonym"
      aside={<span className="dim small">who asks and why is in the audit trail before the answer is given</span>}
    >
      <form className="form-line" onSubmit={submit}>
        <TextInput
          size="xs"
          label="Pseudonym"
          placeholder="pn_1-…"
          value={pseudonym}
          onChange={(event) => setPseudonym(event.currentTarget.value)}
          required
          minLength={4}
        />
        <TextInput
          size="xs"
          label="Reason"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          required
          maxLength={1000}
        />
        <Button type="submit" size="xs" variant="default" loading={act.isPending}>
          Reveal
        </Button>
      </form>
      {act.error !== null && (
        <p className="strong-bad" role="alert">
          {act.error.message}
        </p>
      )}
      {act.data !== undefined && (
        <p role="status">
          It stands for{" "}
          <code>
            <Hostile text={act.data.text} />
          </code>
        </p>
      )}
    </Panel>
  );
}
