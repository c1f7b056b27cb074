/** Server-sent events of a running Vedette, as a test waits for them. */
import type { Vedette } from "./vedette.ts";

/** The first event of that name whose data holds; the stream is opened before `open` resolves. */
export async function listen<T>(
  v: Vedette,
  name: string,
): Promise<{ readonly first: (holds?: (data: T) => boolean) => Promise<T>; close(): void }> {
  const stop = new AbortController();
  const response = await v.fetch("/api/v1/stream", { signal: stop.signal });
  if (!response.ok) throw new Error(`/stream: ${response.status}`);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  return {
    async first(holds = () => true) {
      for (;;) {
        for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
          const block = rest.slice(0, end);
          rest = rest.slice(end + 2);
          if (!block.split("\n").includes(`event: ${name}`)) continue;
          const data = JSON.parse(
            block
              .split("\n")
              .find((l) => l.startsWith("data: "))!
              .slice(6),
          ) as T;
          if (holds(data)) return data;
        }
        const { done, value } = await reader.read();
        if (done) throw new Error(`the stream ended before ${name} came`);
        rest += value;
      }
    },
    close: () => stop.abort(),
  };
}
