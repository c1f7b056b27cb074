/** A question, the time it is about, and why: what a hold and an erasure are asked for with. What is done with it is the caller's. */
import { Button, Checkbox, TextInput } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { parseMoment } from "../url/range.ts";

export interface RangeRequest {
  readonly q: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}
export interface RangeFormProps {
  readonly action: string;
  readonly busy: boolean;
  readonly error: Error | null;
  /** A question of its own beside the others. */
  readonly option?: string;
  readonly onSubmit: (request: RangeRequest, option: boolean) => void;
  /** What was asked for is not what stands here any more. */
  readonly onChange?: () => void;
}

/** Everything that was ever stored, unless a time is named. */
const always = "1970-01-01T00:00:00Z";

export function RangeForm({ action, busy, error, option, onSubmit, onChange }: RangeFormProps) {
  const [text, setText] = useState({ q: "", from: always, to: new Date().toISOString(), reason: "" });
  const [chosen, setChosen] = useState(false);
  const from = parseMoment(text.from);
  const to = parseMoment(text.to);
  const ordered = from !== undefined && to !== undefined && from < to;
  const set = (name: keyof typeof text) => (event: { readonly currentTarget: { readonly value: string } }) => {
    const { value } = event.currentTarget;
    setText((before) => ({ ...before, [name]: value }));
    onChange?.();
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (ordered) onSubmit({ q: text.q.trim(), from, to, reason: text.reason.trim() }, chosen);
  };
  return (
    <form className="form-line" onSubmit={submit}>
      <TextInput size="xs" label="Question" placeholder="user.name:mallory" value={text.q} onChange={set("q")} required maxLength={4096} />
      <TextInput
        size="xs"
        label="From"
        value={text.from}
        onChange={set("from")}
        error={from === undefined ? "Not a time" : undefined}
        required
      />
      <TextInput
        size="xs"
        label="To"
        value={text.to}
        onChange={set("to")}
        error={to === undefined ? "Not a time" : !ordered && from !== undefined ? "Must be after the start" : undefined}
        required
      />
      <TextInput size="xs" label="Reason" value={text.reason} onChange={set("reason")} required maxLength={1000} />
      {option !== undefined && (
        <Checkbox
          size="xs"
          label={option}
          checked={chosen}
          onChange={(event) => {
            setChosen(event.currentTarget.checked);
            onChange?.();
          }}
        />
      )}
      <Button type="submit" size="xs" variant="default" loading={busy} disabled={!ordered}>
        {action}
      </Button>
      {error !== null && (
        <p className="strong-bad" role="alert">
          {error.message}
        </p>
      )}
    </form>
  );
}
