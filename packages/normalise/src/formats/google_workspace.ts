/** Google Workspace's activity reports to ECS: one event for each of an activity's events. Knows no customer. */
import { type Decoded, type JsonObject, type JsonValue, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { putField } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { typeOfOperation } from "../ecs/verbs.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: "an activity of the Admin SDK's reports: {kind: admin#reports#activity, id, actor, events}",
};

const read = documentReader({
  module: "google_workspace",
  dataset: "google_workspace.activity",
  prefix: "google_workspace.",
  time: ["id.time"],
  map: {
    "event.provider": "id.applicationName",
    "event.id": "id.uniqueQualifier",
    "organization.id": "id.customerId",
    "user.name": "actor.email",
    "user.email": "actor.email",
    "user.id": "actor.profileId",
    "source.ip": "ipAddress",
  },
});

/** What a report's application is about. */
const applications = new Map<string, string>([
  ["login", "authentication"],
  ["saml", "authentication"],
  ["token", "iam"],
  ["admin", "iam"],
  ["groups", "iam"],
  ["groups_enterprise", "iam"],
  ["user_accounts", "iam"],
  ["drive", "file"],
  ["gmail", "email"],
  ["rules", "intrusion_detection"],
  ["access_transparency", "iam"],
]);

/** Parameters come as a list of names and values; as an object they are read by name, as rules do. */
function parametersOf(value: JsonValue | undefined): JsonObject {
  if (isObject(value)) return value;
  const named: { [name: string]: JsonValue } = {};
  if (!Array.isArray(value)) return named;
  for (const one of value as readonly JsonValue[]) {
    if (!isObject(one)) continue;
    const name = textOf(one["name"]);
    const told = one["value"] ?? one["multiValue"] ?? one["boolValue"] ?? one["intValue"] ?? one["multiIntValue"];
    if (name !== undefined && name !== "__proto__" && told !== undefined && told !== null) named[name] = told;
  }
  return named;
}

function decodeEvent(activity: JsonObject, event: JsonObject): Decoded {
  const parameters = parametersOf(event["parameters"]);
  const flat: { [key: string]: JsonValue | undefined } = { ...activity, name: event["name"], type: event["type"], parameters };
  delete flat["events"];
  const { time, fields } = read(flat);
  const id = activity["id"];
  const application = (isObject(id) ? textOf(id["applicationName"]) : undefined) ?? "";
  if (application !== "") fields["event.dataset"] = `google_workspace.${application.slice(0, 64)}`;
  const name = textOf(event["name"]) ?? "";
  putField(fields, "event.action", name);
  fields["event.category"] = applications.get(application) ?? "configuration";
  if (application === "login" || application === "saml") {
    fields["event.type"] = name === "logout" ? "end" : name.endsWith("success") ? "start" : "info";
    if (name.endsWith("_success") || name === "logout") fields["event.outcome"] = "success";
    else if (name.includes("failure") || name.includes("blocked")) fields["event.outcome"] = "failure";
  } else {
    fields["event.type"] = typeOfOperation(name);
    fields["event.outcome"] = "success";
  }
  setParameters(fields, parameters);
  relate(fields);
  return { time, fields };
}

function setParameters(fields: Fields, parameters: JsonObject): void {
  putField(fields, "user.target.name", parameters["USER_EMAIL"] ?? parameters["target_user"] ?? parameters["affected_email_address"]);
  putField(fields, "group.name", parameters["GROUP_EMAIL"]);
  putField(fields, "file.name", parameters["doc_title"]);
  putField(fields, "file.owner", parameters["owner"]);
}

const isActivity = (object: JsonObject): boolean =>
  object["kind"] === "admin#reports#activity" ||
  (isObject(object["id"]) && object["id"]["applicationName"] !== undefined && isObject(object["actor"]));

/** Copies of what an activity's events share may come to so much together; beyond it the activity stays one event. */
const maxCopied = 1_048_576;

/** One activity for each of its events. */
function single(activity: JsonObject): readonly JsonObject[] {
  const { events, ...shared } = activity;
  if (!Array.isArray(events) || events.length < 2) return [activity];
  if (JSON.stringify(shared).length * events.length > maxCopied) return [activity];
  return (events as readonly JsonValue[]).map((event) => ({ ...shared, events: [event] }));
}

function membersOf(object: JsonObject): JsonValue | undefined {
  const items = object["items"];
  if (object["kind"] === "admin#reports#activities" && Array.isArray(items))
    return (items as readonly JsonValue[]).flatMap((one): readonly JsonValue[] => (isObject(one) ? single(one) : [one]));
  const events = object["events"];
  return Array.isArray(events) && events.length > 1 ? single(object) : undefined;
}

export default defineDocuments({
  name: "google_workspace",
  summary: "Google Workspace activity reports: admin, login, drive, token and the other applications.",
  description:
    "Every value is kept as google_workspace.<path>, an event's parameters by their name as google_workspace.parameters.<name>. An activity with several events becomes as many.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["kind", "id"],
  claims: (object) => (isActivity(object) || object["kind"] === "admin#reports#activities" ? 1 : 0),
  members: membersOf,
  decode: (object) => {
    if (!isActivity(object)) return unknownShape;
    const events = object["events"];
    return decodeEvent(object, Array.isArray(events) && isObject(events[0]) ? events[0] : object);
  },
  examples: [
    {
      title: "a user made administrator",
      input:
        '{"kind":"admin#reports#activity","id":{"time":"2024-05-01T10:00:00.123Z","uniqueQualifier":"-1","applicationName":"admin","customerId":"C1"},"actor":{"email":"ada@example.com","profileId":"1"},' +
        '"ipAddress":"192.0.2.10","events":[{"type":"DELEGATED_ADMIN_SETTINGS","name":"ASSIGN_ROLE","parameters":[{"name":"ROLE_NAME","value":"_SEED_ADMIN_ROLE"},{"name":"USER_EMAIL","value":"eve@example.com"}]}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123000Z",
          "event.kind": "event",
          "event.module": "google_workspace",
          "event.dataset": "google_workspace.admin",
          "google_workspace.kind": "admin#reports#activity",
          "google_workspace.id.time": "2024-05-01T10:00:00.123Z",
          "google_workspace.id.uniqueQualifier": "-1",
          "google_workspace.id.applicationName": "admin",
          "google_workspace.id.customerId": "C1",
          "google_workspace.actor.email": "ada@example.com",
          "google_workspace.actor.profileId": "1",
          "google_workspace.ipAddress": "192.0.2.10",
          "google_workspace.name": "ASSIGN_ROLE",
          "google_workspace.type": "DELEGATED_ADMIN_SETTINGS",
          "google_workspace.parameters.ROLE_NAME": "_SEED_ADMIN_ROLE",
          "google_workspace.parameters.USER_EMAIL": "eve@example.com",
          "event.provider": "admin",
          "event.id": "-1",
          "organization.id": "C1",
          "user.name": "ada@example.com",
          "user.email": "ada@example.com",
          "user.id": "1",
          "source.ip": "192.0.2.10",
          "event.action": "ASSIGN_ROLE",
          "event.category": "iam",
          "event.type": "change",
          "event.outcome": "success",
          "user.target.name": "eve@example.com",
          "related.ip": ["192.0.2.10"],
          "related.user": ["ada@example.com", "eve@example.com"],
        },
      ],
    },
    {
      title: "a failed sign-in, flattened as some collectors do",
      input:
        '{"id":{"applicationName":"login","time":"2024-05-01 10:00:00.5"},"actor":{"email":"bob@example.com"},"ipAddress":"2001:db8::7","name":"login_failure","type":"login","parameters":{"login_type":"google_password"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.500000Z",
          "event.kind": "event",
          "event.module": "google_workspace",
          "event.dataset": "google_workspace.login",
          "google_workspace.id.applicationName": "login",
          "google_workspace.id.time": "2024-05-01 10:00:00.5",
          "google_workspace.actor.email": "bob@example.com",
          "google_workspace.ipAddress": "2001:db8::7",
          "google_workspace.name": "login_failure",
          "google_workspace.type": "login",
          "google_workspace.parameters.login_type": "google_password",
          "event.provider": "login",
          "user.name": "bob@example.com",
          "user.email": "bob@example.com",
          "source.ip": "2001:db8::7",
          "event.action": "login_failure",
          "event.category": "authentication",
          "event.type": "info",
          "event.outcome": "failure",
          "related.ip": ["2001:db8::7"],
          "related.user": ["bob@example.com"],
        },
      ],
    },
    {
      title: "another document",
      input: '{"id":7}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
