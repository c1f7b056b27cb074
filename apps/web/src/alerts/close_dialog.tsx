/** Asks for the verdict an alert is closed with, and an optional note. */
import { Button, Modal, Radio, Textarea } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import type { Verdict } from "../api/types.ts";
import { Hostile } from "../shell/text.tsx";

const verdicts: readonly { readonly value: Verdict; readonly label: string; readonly description: string }[] = [
  { value: "true_positive", label: "True positive", description: "The rule is right and it is malicious or unwanted." },
  { value: "benign", label: "Benign", description: "The rule is right, and it is expected here." },
  { value: "false_positive", label: "False positive", description: "The rule is wrong about these events." },
];

export interface CloseDialogProps {
  readonly title: string | undefined;
  readonly busy: boolean;
  readonly error: string | undefined;
  readonly onCancel: () => void;
  readonly onClose: (verdict: Verdict, note: string | undefined) => void;
}

/** Open while `title` is given. */
export function CloseDialog({ title, busy, error, onCancel, onClose }: CloseDialogProps) {
  return (
    <Modal opened={title !== undefined} onClose={onCancel} title="Close alert" closeButtonProps={{ "aria-label": "Cancel" }}>
      {title !== undefined && <CloseForm title={title} busy={busy} error={error} onCancel={onCancel} onClose={onClose} />}
    </Modal>
  );
}

function CloseForm({ title, busy, error, onCancel, onClose }: CloseDialogProps & { readonly title: string }) {
  const [verdict, setVerdict] = useState<string>("");
  const [note, setNote] = useState("");
  const [missing, setMissing] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const chosen = verdicts.find((item) => item.value === verdict);
    if (chosen === undefined) return setMissing(true);
    onClose(chosen.value, note.trim() === "" ? undefined : note.trim());
  };
  return (
    <form onSubmit={submit} className="dialog-form">
      <p className="dialog-subject">
        <Hostile text={title} />
      </p>
      <Radio.Group
        label="Verdict"
        value={verdict}
        onChange={(value) => {
          setVerdict(value);
          setMissing(false);
        }}
        error={missing ? "Choose a verdict" : undefined}
        required
      >
        <div className="radio-list">
          {verdicts.map((item, at) => (
            <Radio key={item.value} {...item} {...(at === 0 ? { "data-autofocus": true } : {})} />
          ))}
        </div>
      </Radio.Group>
      <Textarea
        label="Note"
        description="Optional; kept in the history"
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        rows={3}
        maxLength={4000}
      />
      {error !== undefined && <p className="strong-bad">{error}</p>}
      <div className="dialog-buttons">
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={busy}>
          Close alert
        </Button>
      </div>
    </form>
  );
}
