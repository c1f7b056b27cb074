/** One JSON document per record, of any kind: parses it once and hands it to the format that claims it. */
import { defineFormat } from "@vedette/kit";
import { declaredMapping, declaredReader } from "../declared.ts";
import { share } from "../detect.ts";
import { jsonDispatch } from "../json/dispatch.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";

export default defineFormat({
  name: "json",
  summary: "JSON documents of any kind, recognised one by one: Zeek, Winlogbeat, CloudTrail, Tetragon, ECS and plain ones.",
  description:
    "Each document is parsed once and decoded by the format that claims it; one that nobody claims is flattened to dotted fields, and read by `time`, `map` and `set` where they are given. Nesting beyond 64 is refused, " +
    "beyond 16 it is kept as JSON text; beyond 512 fields the rest is counted in vedette.fields_dropped.",
  stability: "beta",
  config: declaredMapping,
  detect: (sample) => 0.9 * share(sample, looksLikeObject),
  decoder(config) {
    const dispatch = jsonDispatch(declaredReader(config, "json"));
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
    {
      title: "a document with a declared mapping",
      config: {
        prefix: "shop.",
        time: ["when"],
        map: { "source.ip": ["client.address", "peer"], "user.name": "who.0.name" },
        set: { "event.category": "authentication", "event.module": "shop" },
      },
      input: '{"when":1714557600123,"peer":"192.0.2.7:4242","who":[{"name":"eve"}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123000Z",
          "event.kind": "event",
          "event.dataset": "json",
          "shop.when": 1714557600123,
          "shop.peer": "192.0.2.7:4242",
          "shop.who.name": ["eve"],
          "source.ip": "192.0.2.7",
          "user.name": "eve",
          "event.category": "authentication",
          "event.module": "shop",
          "related.ip": ["192.0.2.7"],
          "related.user": ["eve"],
        },
      ],
    },
    { title: "half a document", input: '{"a":', expect: { flaw: "bad_json" } },
  ],
});

const isBlank = (text: string) => text.trim() === "";
