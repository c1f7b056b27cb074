/** One JSON document per record, of any kind: parses it once and hands it to the format that claims it. */
import { defineFormat, z } from "@vedette/kit";
import { share } from "../detect.ts";
import { jsonDispatch } from "../json/dispatch.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";

export default defineFormat({
  name: "json",
  summary: "JSON documents of any kind, recognised one by one: Zeek, Winlogbeat, CloudTrail, Tetragon, ECS and plain ones.",
  description:
    "Each document is parsed once and decoded by the format that claims it; one that nobody claims is flattened to dotted fields. Nesting beyond 64 is refused, " +
    "beyond 16 it is kept as JSON text; beyond 512 fields the rest is counted in vedette.fields_dropped.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.9 * share(sample, looksLikeObject),
  decoder() {
    const dispatch = jsonDispatch();
    return (text, context) => {
      const parsed = parseObject(text);
      if (isFlaw(parsed)) return isBlank(text) ? { skip: "blank" } : parsed;
      return dispatch(parsed, text, context);
    };
  },
  examples: [
    {
      title: "a document of an unknown application",
      input: '{"time":"2024-05-01T10:00:00Z","msg":"started","http":{"port":8080},"tags":["a","b"],"workers":[{"id":1},{"id":2}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.dataset": "json",
          time: "2024-05-01T10:00:00Z",
          message: "started",
          "http.port": 8080,
          tags: ["a", "b"],
          "workers.id": [1, 2],
        },
      ],
    },
    { title: "half a document", input: '{"a":', expect: { flaw: "bad_json" } },
  ],
});

const isBlank = (text: string) => text.trim() === "";
