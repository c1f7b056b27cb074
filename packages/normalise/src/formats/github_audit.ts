/** GitHub's audit log to ECS, as its streams and its API give it. Knows no webhook. */
import { type JsonObject, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { typeOfOperation } from "../ecs/verbs.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";

const unknownShape: Flaw = { code: "unknown_shape", expected: "an entry of GitHub's audit log: {action: CATEGORY.OPERATION, actor, …}" };

const read = documentReader({
  module: "github",
  dataset: "github.audit",
  prefix: "github.",
  time: ["@timestamp", "at_sign_timestamp", "created_at"],
  map: {
    "event.action": "action",
    "event.id": "_document_id",
    "user.name": "actor",
    "user.id": "actor_id",
    "user.target.name": ["user", "blocked_user", "invitee"],
    "group.name": "team",
    "source.ip": "actor_ip",
    "source.geo.country_iso_code": "actor_location.country_code",
    "user_agent.original": "user_agent",
    "organization.name": "org",
  },
});

const iam = new Set(
  "org team user members_can business enterprise role saml sso oauth_authorization personal_access_token two_factor_authentication".split(
    " ",
  ),
);
const authentication = new Set(["external_identity_login", "login", "failed_login", "sso_response"]);

const isEntry = (object: JsonObject): boolean => {
  const action = object["action"];
  return (
    typeof action === "string" && action.includes(".") && (typeof object["actor"] === "string" || object["_document_id"] !== undefined)
  );
};

function claims(object: JsonObject): number {
  if (!isEntry(object)) return 0;
  if (object["_document_id"] !== undefined || object["business"] !== undefined) return 1;
  return object["org"] !== undefined ||
    object["repo"] !== undefined ||
    object["actor_location"] !== undefined ||
    object["operation_type"] !== undefined
    ? 0.9
    : 0.5;
}

export default defineDocuments({
  name: "github_audit",
  summary: "GitHub's audit log of an organisation or enterprise: streamed, or from the API.",
  description: "Every value is kept as github.<name>. event.action is GitHub's own, such as repo.destroy.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["action"],
  claims,
  decode(object) {
    const action = textOf(object["action"]);
    if (action === undefined) return unknownShape;
    const { time, fields } = read(object);
    const [about = "", operation = ""] = action.split(".", 2);
    const isLogin = authentication.has(operation) || authentication.has(about);
    fields["event.category"] = isLogin ? "authentication" : iam.has(about) ? "iam" : about === "git" ? "file" : "configuration";
    const type = isLogin ? "info" : typeOfOperation(action);
    fields["event.type"] = about === "team" ? ["group", type] : operation.includes("member") ? ["user", type] : type;
    // GitHub writes down what was done; what was refused is not there.
    fields["event.outcome"] = operation.includes("failed") ? "failure" : "success";
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a branch's protection taken away",
      input:
        '{"@timestamp":1714557600123,"_document_id":"pWq","action":"protected_branch.destroy","actor":"ada","actor_id":7,"actor_ip":"192.0.2.10","actor_location":{"country_code":"DE"},' +
        '"org":"example","repo":"example/app","user_agent":"Mozilla/5.0","operation_type":"remove"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123000Z",
          "event.kind": "event",
          "event.module": "github",
          "event.dataset": "github.audit",
          "github.@timestamp": 1714557600123,
          "github._document_id": "pWq",
          "github.action": "protected_branch.destroy",
          "github.actor": "ada",
          "github.actor_id": 7,
          "github.actor_ip": "192.0.2.10",
          "github.actor_location.country_code": "DE",
          "github.org": "example",
          "github.repo": "example/app",
          "github.user_agent": "Mozilla/5.0",
          "github.operation_type": "remove",
          "event.action": "protected_branch.destroy",
          "event.id": "pWq",
          "user.name": "ada",
          "user.id": "7",
          "source.ip": "192.0.2.10",
          "source.geo.country_iso_code": "DE",
          "user_agent.original": "Mozilla/5.0",
          "organization.name": "example",
          "event.category": "configuration",
          "event.type": "deletion",
          "event.outcome": "success",
          "related.ip": ["192.0.2.10"],
          "related.user": ["ada"],
        },
      ],
    },
    {
      title: "a member added to a team",
      input: '{"action":"team.add_member","actor":"ada","created_at":1714557600123,"org":"example","team":"example/admins","user":"eve"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123000Z",
          "event.kind": "event",
          "event.module": "github",
          "event.dataset": "github.audit",
          "github.action": "team.add_member",
          "github.actor": "ada",
          "github.created_at": 1714557600123,
          "github.org": "example",
          "github.team": "example/admins",
          "github.user": "eve",
          "event.action": "team.add_member",
          "user.name": "ada",
          "user.target.name": "eve",
          "group.name": "example/admins",
          "organization.name": "example",
          "event.category": "iam",
          "event.type": ["group", "creation"],
          "event.outcome": "success",
          "related.user": ["ada", "eve"],
        },
      ],
    },
    {
      title: "another document",
      input: '{"actor":"ada"}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
