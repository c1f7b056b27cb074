/** The filters over the alert list: state, severity, text, and what a link brought along. */
import { TextInput } from "@mantine/core";
import { type RefObject, useEffect, useState } from "react";
import { Icon } from "../shell/icons.tsx";
import { keysOf } from "../shell/keymap.ts";
import { Severity, state_words } from "../shell/severity.tsx";
import { ToggleChips } from "../shell/toggle_chips.tsx";
import type { Changes } from "../url/search.ts";
import { type AlertFilter, type Kind, kindOf, kinds, printKind, printStates, severities, states } from "./filter.ts";

/** Typing settles for this long before the list asks the server. */
const settle_ms = 250;

const kind_words: { readonly [kind in Kind]: { readonly name: string; readonly hint: string } } = {
  now: { name: "Live", hint: "Alerts of events as they come in" },
  past: { name: "Historical", hint: "What historical loads gave; it called nobody" },
  trial: { name: "On trial", hint: "What rules in shadow found; no alerts" },
};

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
      <fieldset className="chips">
        <legend className="visually-hidden">Of what</legend>
        {kinds.map((kind) => (
          <button
            key={kind}
            type="button"
            className="chip"
            aria-pressed={kind === kindOf(filter)}
            title={kind_words[kind].hint}
            onClick={() => patch({ ...printKind(kind), sel: undefined })}
          >
            {kind_words[kind].name}
          </button>
        ))}
      </fieldset>
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
