/** The filters over the alert list: state, severity, text, and what a link brought along. */
import { TextInput } from "@mantine/core";
import { type RefObject, useEffect, useState } from "react";
import { Icon } from "../shell/icons.tsx";
import { keysOf } from "../shell/keymap.ts";
import { Severity, state_words } from "../shell/severity.tsx";
import { ToggleChips } from "../shell/toggle_chips.tsx";
import type { Changes } from "../url/search.ts";
import { type AlertFilter, printStates, severities, states } from "./filter.ts";

/** Typing settles for this long before the list asks the server. */
const settle_ms = 250;

export interface FilterBarProps {
  readonly filter: AlertFilter;
  readonly patch: (changes: Changes, how?: { readonly replace?: boolean }) => void;
  readonly input: RefObject<HTMLInputElement | null>;
}

export function FilterBar({ filter, patch, input }: FilterBarProps) {
  const [text, setText] = useState(filter.q);
  useEffect(() => setText(filter.q), [filter.q]);
  useEffect(() => {
    if (text === filter.q) return;
    const timer = setTimeout(() => patch({ q: text, sel: undefined }, { replace: filter.q !== "" }), settle_ms);
    return () => clearTimeout(timer);
  }, [text, filter.q, patch]);
  return (
    <search className="filter-bar">
      <ToggleChips
        label="State"
        options={states.map((state) => ({ value: state, show: state_words[state] }))}
        on={filter.state}
        onChange={(on) => patch({ state: printStates(on), sel: undefined })}
      />
      <ToggleChips
        label="Severity"
        options={severities.map((level) => ({ value: level, show: <Severity level={level} /> }))}
        on={filter.severity}
        onChange={(on) => patch({ severity: on.length === severities.length ? "" : on.join(","), sel: undefined })}
      />
      <TextInput
        ref={input}
        className="filter-text"
        size="xs"
        aria-label="Search alerts"
        placeholder={`Title, entity, ATT&CK id (${keysOf("alerts_search")})`}
        leftSection={<Icon name="search" size={14} />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {filter.rule !== "" && <Removable label={`rule ${filter.rule}`} remove={() => patch({ rule: undefined, sel: undefined })} />}
      {filter.entity !== "" && <Removable label={`entity ${filter.entity}`} remove={() => patch({ entity: undefined, sel: undefined })} />}
      {filter.historical && <Removable label="the past" remove={() => patch({ historical: undefined, sel: undefined })} />}
      {filter.shadow && <Removable label="rules on trial" remove={() => patch({ shadow: undefined, sel: undefined })} />}
    </search>
  );
}

function Removable({ label, remove }: { readonly label: string; readonly remove: () => void }) {
  return (
    <button type="button" className="chip" aria-pressed="true" onClick={remove} aria-label={`Remove filter: ${label}`}>
      {label} <Icon name="cross" size={12} />
    </button>
  );
}
