/** Asks for the reason of a decision on rules and sends it. */
import { ReasonDialog } from "../shell/reason_dialog.tsx";
import { type RuleAction, useRuleAction } from "./actions.ts";

export interface DecideDialogProps {
  readonly action: RuleAction;
  readonly title: string;
  /** The rule's, or what a rollback does. */
  readonly subject: string;
  readonly onClose: () => void;
}

export function DecideDialog({ action, title, subject, onClose }: DecideDialogProps) {
  const act = useRuleAction(onClose);
  return (
    <ReasonDialog
      title={title}
      subject={subject}
      busy={act.isPending}
      error={act.error}
      blocked={act.data?.blocked}
      onSubmit={(reason, force) => act.mutate({ action, reason, force })}
      onClose={onClose}
    />
  );
}
