/** Reads server-sent events off a body. Knows no event by name. */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** Longer events are none of ours: a page of alerts is a few kilobytes. */
const maxEvent = 4 * 1_048_576;

function read(block: string): ServerEvent | undefined {
  const fields = new Map<string, string[]>();
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const name = line.slice(0, at);
    fields.set(name, [...(fields.get(name) ?? []), line.slice(at + 1).replace(/^ /, "")]);
  }
  const event = fields.get("event")?.at(-1);
  if (event === undefined) return undefined;
  return { event, data: (fields.get("data") ?? []).join("\n"), id: fields.get("id")?.at(-1) };
}

/** @throws Error when one event is longer than 4 MiB */
export async function* serverEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n", from)) {
      const found = read(rest.slice(from, end));
      from = end + 2;
      if (found !== undefined) yield found;
    }
    rest = rest.slice(from);
    if (rest.length > maxEvent) throw new Error("an event of the stream is longer than 4 MiB");
  }
}
