/** The query line: completes field names, shows the server's complaint at its position, runs on Enter. */

import { Button } from "@mantine/core";
import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import type { BadQuery } from "../api/types.ts";
import { Icon } from "../shell/icons.tsx";
import { keysOf } from "../shell/keymap.ts";
import { useFields, useQueryCheck } from "./event_data.ts";
import { type Completion, completeField, splitAt } from "./query.ts";

export interface QueryBarProps {
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly run: (text: string) => void;
  readonly input: RefObject<HTMLInputElement | null>;
  readonly busy: boolean;
}

export function QueryBar({ text, setText, run, input, busy }: QueryBarProps) {
  const fields = useFields();
  const check = useQueryCheck(text);
  const [completion, setCompletion] = useState<Completion>();
  const [marked, setMarked] = useState(-1);
  const id = useId();
  const bad = check?.ok === false ? check : undefined;
  const offer = (value: string, caret: number | null) => {
    setCompletion(completeField(value, caret ?? value.length, fields));
    setMarked(-1);
  };
  const accept = (field: string) => {
    if (completion === undefined) return;
    const next = `${text.slice(0, completion.from)}${field}:${text.slice(completion.to)}`;
    setText(next);
    setCompletion(undefined);
    const caret = completion.from + field.length + 1;
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(caret, caret);
    });
  };
  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    const count = completion?.fields.length ?? 0;
    const chosen = completion?.fields[marked];
    if (count > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setMarked((marked + (event.key === "ArrowDown" ? 1 : marked < 0 ? count : count - 1)) % count);
    } else if (chosen !== undefined && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      accept(chosen);
    } else if (event.key === "Enter") {
      setCompletion(undefined);
      run(text);
    } else if (event.key === "Escape") {
      if (completion !== undefined) setCompletion(undefined);
      else event.currentTarget.blur();
    }
  };
  return (
    <search className="query-bar">
      <div className={`query-box ${bad !== undefined ? "query-bad" : ""}`}>
        <Icon name="search" />
        <input
          ref={input}
          type="text"
          role="combobox"
          className="mono"
          value={text}
          placeholder={`process.name:bash and not user.name:root   ( ${keysOf("events_query")} )`}
          aria-label="Query"
          aria-expanded={completion !== undefined}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={marked >= 0 ? `${id}-${marked}` : undefined}
          aria-invalid={bad !== undefined}
          aria-describedby={`${id}-help`}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => {
            setText(event.currentTarget.value);
            offer(event.currentTarget.value, event.currentTarget.selectionStart);
          }}
          onBlur={() => setCompletion(undefined)}
          onKeyDown={onKey}
        />
        <Button size="xs" onClick={() => run(text)} loading={busy}>
          Search
        </Button>
        <div id={`${id}-list`} role="listbox" aria-label="Fields" className="completions" hidden={completion === undefined}>
          {completion?.fields.map((field, at) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus and names the active option
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
            <div
              key={field}
              id={`${id}-${at}`}
              role="option"
              aria-selected={at === marked}
              className={`completion mono ${at === marked ? "completion-marked" : ""}`}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => accept(field)}
            >
              {field}
            </div>
          ))}
        </div>
      </div>
      <div id={`${id}-help`} className="query-help">
        {bad !== undefined && <Complaint text={text} bad={bad} use={setText} />}
        {check?.ok === true && check.warning !== undefined && (
          <span className="dim small">
            {check.warning}
            {check.suggestion !== undefined && <>; did you mean {check.suggestion}?</>}
          </span>
        )}
      </div>
    </search>
  );
}

/** The query again with the place of the trouble marked, and what to do. */
function Complaint({ text, bad, use }: { readonly text: string; readonly bad: BadQuery; readonly use: (text: string) => void }) {
  const { before, marked, after } = splitAt(text, bad.position, bad.length);
  const { suggestion } = bad;
  return (
    <div className="complaint">
      <code className="mono">
        {before}
        <mark className="complaint-mark">{marked || "␣"}</mark>
        {after}
      </code>
      <span>
        <strong className="strong-bad">Position {before.length + 1}:</strong> {bad.message}
      </span>
      {suggestion !== undefined && (
        <button type="button" className="link-button" onClick={() => use(`${before}${suggestion}${after}`)}>
          Write <code className="mono">{suggestion}</code> there
        </button>
      )}
    </div>
  );
}
