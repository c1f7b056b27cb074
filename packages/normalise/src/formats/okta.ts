/** Okta's system log to ECS, as its API, event hooks and log streaming give it. Knows no organisation. */
import { type JsonObject, z } from "@vedette/kit";
import type { Fields, FieldValue, Flaw } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { typeOfOperation } from "../ecs/verbs.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";
import { spelling } from "../json/spelling.ts";

const unknownShape: Flaw = { code: "unknown_shape", expected: "an event of Okta's system log: {eventType, published, actor, …}" };

const read = documentReader({
  module: "okta",
  dataset: "okta.system",
  prefix: "okta.",
  time: ["published"],
  map: {
    "event.action": "eventType",
    "event.id": "uuid",
    "event.reason": "outcome.reason",
    message: "displayMessage",
    "user.name": "actor.alternateId",
    "user.full_name": "actor.displayName",
    "user.id": "actor.id",
    "source.ip": ["client.ipAddress", "request.ipChain.0.ip"],
    "source.user.name": "actor.alternateId",
    "source.domain": "securityContext.domain",
    "source.as.number": "securityContext.asNumber",
    "source.as.organization.name": "securityContext.asOrg",
    "source.geo.country_name": "client.geographicalContext.country",
    "source.geo.city_name": "client.geographicalContext.city",
    "user_agent.original": "client.userAgent.rawUserAgent",
    "client.device.type": "client.device",
    "group.name": "debugContext.debugData.grantedGroup",
  },
});

/** By the beginning of `eventType`, the more telling first. */
const kinds: readonly (readonly [prefix: string, category: FieldValue, type: FieldValue])[] = [
  ["user.session.start", ["authentication", "session"], "start"],
  ["user.session.end", ["authentication", "session"], "end"],
  ["user.session", ["session"], "info"],
  ["user.authentication", "authentication", "info"],
  ["user.mfa", "authentication", "info"],
  ["policy.evaluate_sign_on", "authentication", "info"],
  ["security.threat", ["threat", "network"], "indicator"],
  ["user.account.report_suspicious", ["threat"], "indicator"],
];

function setMeaning(fields: Fields, action: string): void {
  const kind = kinds.find(([prefix]) => action.startsWith(prefix));
  if (kind !== undefined) {
    fields["event.category"] = kind[1];
    fields["event.type"] = kind[2];
    return;
  }
  const about = action.startsWith("user.") ? "user" : action.startsWith("group.") ? "group" : undefined;
  fields["event.category"] = about !== undefined || action.startsWith("system.") ? "iam" : "configuration";
  const type = typeOfOperation(action);
  fields["event.type"] = about === undefined ? type : [about, type];
}

/** The first user the event is about is who it was done to. */
function setTarget(fields: Fields, object: JsonObject): void {
  const targets = object["target"];
  if (!Array.isArray(targets)) return;
  for (const target of targets as readonly unknown[]) {
    if (!isObject(target)) continue;
    const name = textOf(target["alternateId"]);
    if (target["type"] === "User" && name !== undefined) fields["user.target.name"] ??= name;
    const group = textOf(target["displayName"]);
    if (target["type"] === "UserGroup" && group !== undefined) fields["group.name"] ??= group;
  }
}

const { restore, member } = spelling("eventType displayMessage debugContext authenticationContext securityContext legacyEventType");

const isEvent = (object: JsonObject): boolean =>
  typeof member(object, "eventType") === "string" &&
  (object["published"] !== undefined || object["severity"] !== undefined) &&
  (isObject(object["actor"]) ||
    isObject(object["outcome"]) ||
    isObject(member(object, "securityContext")) ||
    object["legacyEventType"] !== undefined);

/** Event hooks put their events below `data.events`. */
function hookEvents(object: JsonObject): readonly unknown[] | undefined {
  const data = object["data"];
  const events = isObject(data) ? data["events"] : undefined;
  return Array.isArray(events) && isObject(events[0]) && isEvent(events[0]) ? events : undefined;
}

export default defineDocuments({
  name: "okta",
  summary: "Okta's system log: single events, event hooks and log streaming.",
  description: "Every value is kept as okta.<path>. The user it was done to is user.target.name; a sign-in's result is event.outcome.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["eventType", "data"],
  claims: (object) => (isEvent(object) || hookEvents(object) !== undefined ? 1 : 0),
  members: (object) => (isEvent(object) ? undefined : (hookEvents(object) as never)),
  decode(told) {
    const object = restore(told);
    const action = textOf(object["eventType"]);
    if (action === undefined) return unknownShape;
    const { time, fields } = read(object);
    setMeaning(fields, action);
    setTarget(fields, object);
    const outcome = object["outcome"];
    const result = isObject(outcome) ? textOf(outcome["result"]) : undefined;
    if (result === "SUCCESS" || result === "ALLOW") fields["event.outcome"] = "success";
    else if (result === "FAILURE" || result === "DENY") fields["event.outcome"] = "failure";
    else if (result !== undefined) fields["event.outcome"] = "unknown";
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a refused sign-in",
      input:
        '{"uuid":"f790999f-fe87-467a-9880-6982a583986c","published":"2024-05-01T10:00:00.123Z","eventType":"user.session.start","version":"0","severity":"WARN",' +
        '"displayMessage":"User login to Okta","actor":{"id":"00u1","type":"User","alternateId":"ada@example.com","displayName":"Ada"},' +
        '"client":{"userAgent":{"rawUserAgent":"Mozilla/5.0","os":"Mac OS X","browser":"CHROME"},"zone":"null","device":"Computer","ipAddress":"192.0.2.10",' +
        '"geographicalContext":{"city":"Berlin","country":"Germany"}},"outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"target":null,' +
        '"securityContext":{"asNumber":64496,"asOrg":"example","isp":"example","domain":"example.net","isProxy":false}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123000Z",
          "event.kind": "event",
          "event.module": "okta",
          "event.dataset": "okta.system",
          "okta.uuid": "f790999f-fe87-467a-9880-6982a583986c",
          "okta.published": "2024-05-01T10:00:00.123Z",
          "okta.eventType": "user.session.start",
          "okta.version": "0",
          "okta.severity": "WARN",
          "okta.displayMessage": "User login to Okta",
          "okta.actor.id": "00u1",
          "okta.actor.type": "User",
          "okta.actor.alternateId": "ada@example.com",
          "okta.actor.displayName": "Ada",
          "okta.client.userAgent.rawUserAgent": "Mozilla/5.0",
          "okta.client.userAgent.os": "Mac OS X",
          "okta.client.userAgent.browser": "CHROME",
          "okta.client.zone": "null",
          "okta.client.device": "Computer",
          "okta.client.ipAddress": "192.0.2.10",
          "okta.client.geographicalContext.city": "Berlin",
          "okta.client.geographicalContext.country": "Germany",
          "okta.outcome.result": "FAILURE",
          "okta.outcome.reason": "INVALID_CREDENTIALS",
          "okta.securityContext.asNumber": 64496,
          "okta.securityContext.asOrg": "example",
          "okta.securityContext.isp": "example",
          "okta.securityContext.domain": "example.net",
          "okta.securityContext.isProxy": false,
          "event.action": "user.session.start",
          "event.id": "f790999f-fe87-467a-9880-6982a583986c",
          "event.reason": "INVALID_CREDENTIALS",
          message: "User login to Okta",
          "user.name": "ada@example.com",
          "user.full_name": "Ada",
          "user.id": "00u1",
          "source.ip": "192.0.2.10",
          "source.user.name": "ada@example.com",
          "source.domain": "example.net",
          "source.as.number": 64496,
          "source.as.organization.name": "example",
          "source.geo.country_name": "Germany",
          "source.geo.city_name": "Berlin",
          "user_agent.original": "Mozilla/5.0",
          "client.device.type": "Computer",
          "event.category": ["authentication", "session"],
          "event.type": "start",
          "event.outcome": "failure",
          "related.ip": ["192.0.2.10"],
          "related.user": ["ada@example.com"],
          "related.hosts": ["example.net"],
        },
      ],
    },
    {
      title: "a factor taken from another user",
      input:
        '{"published":"2024-05-01T10:00:00Z","eventType":"user.mfa.factor.deactivate","actor":{"id":"00u1","alternateId":"ada@example.com"},' +
        '"outcome":{"result":"SUCCESS"},"target":[{"id":"00u2","type":"User","alternateId":"bob@example.com"}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "okta",
          "event.dataset": "okta.system",
          "okta.published": "2024-05-01T10:00:00Z",
          "okta.eventType": "user.mfa.factor.deactivate",
          "okta.actor.id": "00u1",
          "okta.actor.alternateId": "ada@example.com",
          "okta.outcome.result": "SUCCESS",
          "okta.target.id": ["00u2"],
          "okta.target.type": ["User"],
          "okta.target.alternateId": ["bob@example.com"],
          "event.action": "user.mfa.factor.deactivate",
          "user.name": "ada@example.com",
          "user.id": "00u1",
          "source.user.name": "ada@example.com",
          "event.category": "authentication",
          "event.type": "info",
          "user.target.name": "bob@example.com",
          "event.outcome": "success",
          "related.user": ["ada@example.com", "bob@example.com"],
        },
      ],
    },
    {
      title: "another document",
      input: '{"published":"2024-05-01T10:00:00Z"}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
