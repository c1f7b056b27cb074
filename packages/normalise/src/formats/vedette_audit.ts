/** Vedette's own audit records, which are ECS already. Only its own source uses it; a document of a client that looks alike goes elsewhere. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { FieldValue } from "@vedette/model";
import { isFlaw, parseObject } from "../json/parse.ts";
import { parseAnyTime } from "../time/parse.ts";

/** What kind of act an action is, by how its name begins; the rest are changes of the configuration. */
const categories: readonly (readonly [start: string, category: string])[] = [
  ["login", "authentication"],
  ["logout", "session"],
  ["token_", "iam"],
  ["access_denied", "iam"],
  ["events_searched", "database"],
  ["audit_", "database"],
];

const isScalar = (value: unknown) => typeof value === "string" || typeof value === "number" || typeof value === "boolean";
const isFieldValue = (value: unknown): value is FieldValue => isScalar(value) || (Array.isArray(value) && value.every(isScalar));

export default defineFormat({
  name: "vedette_audit",
  summary: "Vedette's own audit trail: who signed in, changed a rule, read events.",
  stability: "beta",
  config: z.strictObject({}),
  detect: () => 0,
  decoder() {
    return (text) => {
      const parsed = parseObject(text);
      if (isFlaw(parsed)) return parsed;
      const fields = newFields();
      for (const [name, value] of Object.entries(parsed)) if (isFieldValue(value) && name !== "@timestamp") fields[name] = value;
      const time = parseAnyTime(parsed["@timestamp"]);
      fields["event.kind"] = "event";
      fields["event.dataset"] = "vedette.audit";
      const action = String(fields["event.action"] ?? "");
      fields["event.category"] = categories.find(([start]) => action.startsWith(start))?.[1] ?? "configuration";
      return { time, fields };
    };
  },
  examples: [
    {
      title: "a rule switched off",
      input:
        '{"@timestamp":"2026-11-21T10:00:00Z","event.action":"rule_disabled","event.outcome":"success","user.name":"alice","source.ip":"192.0.2.1","rule.id":"6f1d"}',
      expect: [
        {
          "@timestamp": "2026-11-21T10:00:00.000000Z",
          "event.kind": "event",
          "event.dataset": "vedette.audit",
          "event.category": "configuration",
          "event.action": "rule_disabled",
          "event.outcome": "success",
          "user.name": "alice",
          "source.ip": "192.0.2.1",
          "rule.id": "6f1d",
        },
      ],
    },
  ],
});
