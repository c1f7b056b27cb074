/** Calls a function at most once in a while, and once more at the end: a storm of live alerts must not become a storm of requests. */
import { useCallback, useEffect, useRef } from "react";

/** The newest call wins; what is pending when the component goes is dropped. */
export function useThrottled(run: () => void, every_ms: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return useCallback(() => {
    if (timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, every_ms);
  }, [every_ms]);
}
