/** The buttons on an alert's page, with what came of pressing them. */
import { Button, Textarea } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { useMay } from "../api/session.ts";
import type { Alert } from "../api/types.ts";
import { Icon } from "../shell/icons.tsx";
import { keysOf } from "../shell/keymap.ts";
import { useKeys } from "../shell/keys.ts";
import { InnerLink } from "../shell/link.tsx";
import { type AlertAction, done_words, useAlertAction } from "./actions.ts";
import { CloseDialog } from "./close_dialog.tsx";

export function AlertActions({ alert, events }: { readonly alert: Alert; readonly events: string }) {
  const [closing, setClosing] = useState(false);
  const [noting, setNoting] = useState(false);
  const [done, setDone] = useState<string>();
  const may_write = useMay("alerts:write");
  const act = useAlertAction((_, what) => {
    // An answer to an earlier action must not shut what was opened since.
    if (what.action.do === "close") setClosing(false);
    if (what.action.do === "notes") setNoting(false);
    setDone(`Alert ${done_words[what.action.do]}.`);
  });
  const run = (action: AlertAction) => {
    setDone(undefined);
    act.mutate({ id: alert.id, title: alert.title, action });
  };
  useKeys({
    ...(may_write && alert.state === "open" && { alert_acknowledge: () => run({ do: "acknowledge" }) }),
    ...(may_write && alert.state !== "closed" && { alert_close: () => setClosing(true) }),
  });
  return (
    <>
      <div className="alert-actions">
        {may_write && alert.state === "open" && (
          <Button
            size="xs"
            loading={act.isPending && act.variables?.action.do === "acknowledge"}
            onClick={() => run({ do: "acknowledge" })}
          >
            Acknowledge<kbd>{keysOf("alert_acknowledge")}</kbd>
          </Button>
        )}
        {!may_write ? null : alert.state !== "closed" ? (
          <Button size="xs" variant="default" onClick={() => setClosing(true)}>
            Close…<kbd>{keysOf("alert_close")}</kbd>
          </Button>
        ) : (
          <Button size="xs" variant="default" onClick={() => run({ do: "reopen" })}>
            Reopen
          </Button>
        )}
        {may_write && (
          <Button
            size="xs"
            variant="default"
            onClick={() => setNoting((on) => !on)}
            aria-expanded={noting}
            leftSection={<Icon name="note" size={14} />}
          >
            Note
          </Button>
        )}
        <InnerLink to={events} className="button-link">
          <Icon name="events" size={14} /> Show events<kbd>{keysOf("alert_events")}</kbd>
        </InnerLink>
        <span className="action-state">
          {act.error !== null ? <span className="strong-bad">{act.error.message}</span> : <span className="dim">{done}</span>}
        </span>
      </div>
      {noting && <NoteForm busy={act.isPending} onSave={(note) => run({ do: "notes", note })} />}
      <CloseDialog
        title={closing ? alert.title : undefined}
        busy={act.isPending}
        error={act.error?.message}
        onCancel={() => setClosing(false)}
        onClose={(verdict, note) => run({ do: "close", verdict, ...(note !== undefined && { note }) })}
      />
    </>
  );
}

function NoteForm({ busy, onSave }: { readonly busy: boolean; readonly onSave: (note: string) => void }) {
  const [note, setNote] = useState("");
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (note.trim() !== "") onSave(note.trim());
  };
  return (
    <form className="note-form" onSubmit={submit}>
      <Textarea label="Note" value={note} onChange={(event) => setNote(event.currentTarget.value)} rows={3} maxLength={4000} autoFocus />
      <Button type="submit" size="xs" loading={busy} disabled={note.trim() === ""}>
        Add note
      </Button>
    </form>
  );
}
