/** Asks why before something is changed, says what stands in its way, and lets a person insist. What is changed is the caller's. */
import { Button, Checkbox, Modal, Textarea } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { Hostile } from "./text.tsx";

export interface ReasonDialogProps {
  readonly title: string;
  /** What it is about, or what it does. */
  readonly subject: string;
  readonly busy: boolean;
  readonly error: Error | null;
  /** What stood in the way of the last try; a person may then insist. */
  readonly blocked?: readonly string[] | undefined;
  readonly onSubmit: (reason: string, insist: boolean) => void;
  readonly onClose: () => void;
}

export function ReasonDialog({ title, subject, busy, error, blocked = [], onSubmit, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState("");
  const [insist, setInsist] = useState(false);
  const [missing, setMissing] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (reason.trim() === "") return setMissing(true);
    onSubmit(reason.trim(), insist);
  };
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Cancel" }}>
      <form onSubmit={submit} className="dialog-form">
        <p className="dialog-subject">
          <Hostile text={subject} />
        </p>
        <Textarea
          label="Reason"
          description="Kept in the history"
          value={reason}
          onChange={(event) => {
            setReason(event.currentTarget.value);
            setMissing(false);
          }}
          error={missing ? "Say why" : undefined}
          rows={3}
          maxLength={1000}
          required
          data-autofocus
        />
        {blocked.length > 0 && (
          <div role="alert">
            <p className="strong-bad">Not done:</p>
            <ul className="small">
              {blocked.map((line) => (
                <li key={line}>
                  <Hostile text={line} />
                </li>
              ))}
            </ul>
            <Checkbox label="Do it all the same" checked={insist} onChange={(event) => setInsist(event.currentTarget.checked)} />
          </div>
        )}
        {error !== null && <p className="strong-bad">{error.message}</p>}
        <div className="dialog-buttons">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {title}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
