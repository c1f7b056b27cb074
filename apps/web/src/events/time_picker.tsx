/** The time range: four presets, everything, or two moments written by hand. */
import { Button, Popover, TextInput } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { formatTime } from "../format/time.ts";
import { Icon } from "../shell/icons.tsx";
import { useZone } from "../shell/zone.tsx";
import { default_range, parseMoment, presets, printRange, resolveRange } from "../url/range.ts";

const choices = [
  ...presets.map(({ value, label }) => ({ value: value as string, label: label as string })),
  { value: "all", label: "All" },
];

export function TimePicker({ value, onChange }: { readonly value: string | null; readonly onChange: (value: string) => void }) {
  const zone = useZone();
  const [opened, setOpened] = useState(false);
  const current = value ?? default_range;
  const absolute = !choices.some((choice) => choice.value === current);
  const range = absolute ? resolveRange(current, Date.now()) : {};
  return (
    <fieldset className="time-picker">
      <legend className="visually-hidden">Time range</legend>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          className="chip"
          aria-pressed={choice.value === current}
          onClick={() => onChange(choice.value)}
        >
          {choice.label}
        </button>
      ))}
      <Popover opened={opened} onChange={setOpened} position="bottom-end" trapFocus withinPortal>
        <Popover.Target>
          <button type="button" className="chip" aria-pressed={absolute} onClick={() => setOpened(!opened)}>
            <Icon name="clock" size={14} />
            {absolute
              ? `${range.from ? formatTime(range.from, zone, { digits: 0 }) : "start"} – ${range.to ? formatTime(range.to, zone, { digits: 0 }) : "now"}`
              : "From – to"}
          </button>
        </Popover.Target>
        <Popover.Dropdown>
          <Absolute
            range={range}
            onPick={(text) => {
              setOpened(false);
              onChange(text);
            }}
          />
        </Popover.Dropdown>
      </Popover>
    </fieldset>
  );
}

function Absolute({
  range,
  onPick,
}: {
  readonly range: { readonly from?: string; readonly to?: string };
  readonly onPick: (value: string) => void;
}) {
  const [from, setFrom] = useState(range.from ?? new Date(Date.now() - 3_600_000).toISOString());
  const [to, setTo] = useState(range.to ?? new Date().toISOString());
  const start = parseMoment(from);
  const end = parseMoment(to);
  const ordered = start !== undefined && end !== undefined && start < end;
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (ordered) onPick(printRange(Date.parse(start), Date.parse(end)));
  };
  return (
    <form className="absolute" onSubmit={submit}>
      <TextInput
        size="xs"
        label="From"
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
        error={start === undefined ? "Not a time" : undefined}
      />
      <TextInput
        size="xs"
        label="To"
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
        error={end === undefined ? "Not a time" : !ordered && start !== undefined ? "Must be after the start" : undefined}
      />
      <p className="dim small">RFC 3339; without an offset it is local time.</p>
      <Button type="submit" size="xs" disabled={!ordered}>
        Apply
      </Button>
    </form>
  );
}
