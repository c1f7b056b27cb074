/** Asks before something is taken away for good. */
import { Button, Modal } from "@mantine/core";
import { Hostile } from "./text.tsx";

export interface ConfirmProps {
  readonly title: string;
  readonly subject: string;
  readonly busy: boolean;
  readonly error: Error | null;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function Confirm({ title, subject, busy, error, onConfirm, onClose }: ConfirmProps) {
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Cancel" }}>
      <div className="dialog-form">
        <p className="dialog-subject">
          <Hostile text={subject} />
        </p>
        {error !== null && <p className="strong-bad">{error.message}</p>}
        <div className="dialog-buttons">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button loading={busy} onClick={onConfirm}>
            {title}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
