/** Listens to the keyboard for the handlers a page gives; never while someone types, and never with a modifier. */
import { useEffect, useRef } from "react";
import { type BindingId, findBinding } from "./keymap.ts";

export type KeyHandlers = { readonly [id in BindingId]?: () => void };

/** Two keys in a row count as one binding within this time. */
const sequence_ms = 1_200;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Enter on a focused button or link is theirs. */
function isOwnEnter(event: KeyboardEvent): boolean {
  return event.key === "Enter" && event.target instanceof HTMLElement && /^(BUTTON|A|SUMMARY)$/.test(event.target.tagName);
}

export function useKeys(handlers: KeyHandlers): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    let previous: { key: string; at: number } | undefined;
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isOwnEnter(event)) return;
      if (document.querySelector("[role=dialog]") !== null) return;
      const before = previous !== undefined && event.timeStamp - previous.at < sequence_ms ? previous.key : undefined;
      const found = findBinding(before, event.key, Object.keys(latest.current) as BindingId[]);
      previous = { key: event.key, at: event.timeStamp };
      // "g a" goes to Alerts; the page must not take the "a" as acknowledge.
      if (before === "g" && found !== undefined && !found.startsWith("go_")) return;
      const handle = found === undefined ? undefined : latest.current[found];
      if (handle === undefined) return;
      event.preventDefault();
      handle();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
