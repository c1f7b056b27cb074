/** Asks for the reason of a decision on rules, says what stands in its way, and lets a person insist. */
import { Button, Checkbox, Modal, Textarea } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { Hostile } from "../shell/text.tsx";
import { type RuleAction, useRuleAction } from "./actions.ts";

export interface DecideDialogProps {
  readonly action: RuleAction;
  readonly title: string;
  /** The rule's, or what a rollback does. */
  readonly subject: string;
  readonly onClose: () => void;
}

export function DecideDialog({ action, title, subject, onClose }: DecideDialogProps) {
  const [reason, setReason] = useState("");
  const [force, setForce] = useState(false);
  const [missing, setMissing] = useState(false);
  const act = useRuleAction(onClose);
  const blocked = act.data?.blocked ?? [];
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (reason.trim() === "") return setMissing(true);
    act.mutate({ action, reason: reason.trim(), force });
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
            <Checkbox label="Do it all the same" checked={force} onChange={(event) => setForce(event.currentTarget.checked)} />
          </div>
        )}
        {act.error !== null && <p className="strong-bad">{act.error.message}</p>}
        <div className="dialog-buttons">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={act.isPending}>
            {title}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
