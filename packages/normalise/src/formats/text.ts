/** Lines of no known format: the line is the message. */
import { defineFormat, newFields, z } from "@vedette/kit";

export default defineFormat({
  name: "text",
  summary: "Any line: kept as the message, at the time it was received.",
  stability: "stable",
  config: z.strictObject({}),
  detect: () => 0,
  decoder: () => (text) => {
    if (text.trim() === "") return { skip: "blank" };
    const fields = newFields();
    fields["event.kind"] = "event";
    fields["event.dataset"] = "text";
    fields["message"] = text;
    return { time: undefined, fields };
  },
  examples: [
    { title: "a line", input: "hello, world", expect: [{ "event.kind": "event", "event.dataset": "text", message: "hello, world" }] },
    { title: "an empty line", input: "  ", expect: { skip: "blank" } },
  ],
});
