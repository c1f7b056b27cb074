/** One polite live region for the whole console; it speaks at most once in five seconds, the newest message wins. */
import { useSyncExternalStore } from "react";
import { visibleText } from "../format/text.ts";

/** reference: live regions at most one per 5 s. */
const pause_ms = 5_000;

let spoken = "";
let last_ms = Number.NEGATIVE_INFINITY;
let timer: ReturnType<typeof setTimeout> | undefined;
const watchers = new Set<() => void>();

/** Says something to people who cannot see it happen. */
export function announce(message: string): void {
  clearTimeout(timer);
  const speak = () => {
    spoken = visibleText(message);
    last_ms = performance.now();
    for (const watch of watchers) watch();
  };
  const wait = last_ms + pause_ms - performance.now();
  if (wait <= 0) speak();
  else timer = setTimeout(speak, wait);
}

function subscribe(watch: () => void): () => void {
  watchers.add(watch);
  return () => watchers.delete(watch);
}

export function Announcer() {
  const message = useSyncExternalStore(subscribe, () => spoken);
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {message}
    </div>
  );
}
