/** AWS CloudTrail records to ECS, single or in the files AWS delivers. Knows no other AWS log. */
import { type Decoded, type JsonObject, type JsonValue, newFields, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { meaningOfCall } from "../cloudtrail_actions.ts";
import { defineDocuments, textOf as text } from "../json/documents.ts";
import { flatten } from "../json/flatten.ts";
import { isObject } from "../json/parse.ts";
import { plainIp } from "../linux/peer.ts";
import { parseRfc3339 } from "../time/parse.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: 'a CloudTrail record with eventSource and eventName, or {"Records": [such records]}',
};

function isRecord(value: JsonValue | undefined): value is JsonObject {
  if (!isObject(value)) return false;
  const source = value["eventSource"];
  // S3 notifications (`aws:s3`) look alike but are another kind of document.
  return typeof source === "string" && !source.startsWith("aws:") && typeof value["eventName"] === "string";
}

/** EventBridge delivers records as the `detail` of its own envelope. */
const detailOf = (object: JsonObject): JsonValue | undefined => (object["detail-type"] === undefined ? undefined : object["detail"]);

function claims(object: JsonObject): number {
  if (isRecord(object))
    return object["eventVersion"] !== undefined || object["awsRegion"] !== undefined || isObject(object["userIdentity"]) ? 1 : 0.6;
  const records = object["Records"];
  if (Array.isArray(records)) return isRecord(records[0] as JsonValue | undefined) ? 1 : 0;
  return isRecord(detailOf(object)) ? 1 : 0;
}

/** A document's records: of a file as delivered; undefined for a single one. */
const recordsOf = (object: JsonObject): JsonValue | undefined => (Array.isArray(object["Records"]) ? object["Records"] : undefined);

function decodeRecord(record: JsonObject): Decoded {
  const fields = newFields();
  const source = text(record["eventSource"]);
  const name = text(record["eventName"]);
  fields["event.kind"] = record["eventType"] === "AwsCloudTrailInsight" ? "alert" : "event";
  fields["event.module"] = "aws";
  fields["event.dataset"] = "aws.cloudtrail";
  put(fields, "event.provider", source);
  put(fields, "event.action", name);
  put(fields, "event.id", text(record["eventID"]));
  const meaning = meaningOfCall(source ?? "", name ?? "");
  fields["event.category"] = meaning.category;
  fields["event.type"] = meaning.type;
  fields["event.outcome"] = outcomeOf(record);
  put(fields, "error.code", text(record["errorCode"]));
  put(fields, "error.message", text(record["errorMessage"]));
  const related: Related = { users: [], addresses: [] };
  putCloud(fields, record);
  putUser(fields, record, related);
  putClient(fields, record, related);
  if (related.users.length > 0) fields["related.user"] = related.users;
  if (related.addresses.length > 0) fields["related.ip"] = related.addresses;
  flatten(record, fields, "aws.cloudtrail.");
  // Rules search these two as a whole; each value stands under its own path as well.
  putWhole(fields, "aws.cloudtrail.request_parameters", record["requestParameters"]);
  putWhole(fields, "aws.cloudtrail.response_elements", record["responseElements"]);
  const time = text(record["eventTime"]);
  return { time: time === undefined ? undefined : parseRfc3339(time), fields };
}

interface Related {
  readonly users: string[];
  readonly addresses: string[];
}

function outcomeOf(record: JsonObject): "success" | "failure" {
  if (text(record["errorCode"]) !== undefined || text(record["errorMessage"]) !== undefined) return "failure";
  const response = record["responseElements"];
  if (!isObject(response)) return "success";
  // Sign-in events report their result as {"ConsoleLogin": "Failure"}, {"CheckMfa": "Failure"}, …
  return response["ConsoleLogin"] === "Failure" || response[String(record["eventName"])] === "Failure" ? "failure" : "success";
}

function putCloud(fields: Fields, record: JsonObject): void {
  const identity = record["userIdentity"];
  fields["cloud.provider"] = "aws";
  put(fields, "cloud.region", text(record["awsRegion"]));
  put(fields, "cloud.account.id", text(record["recipientAccountId"]) ?? (isObject(identity) ? text(identity["accountId"]) : undefined));
}

function putUser(fields: Fields, record: JsonObject, related: Related): void {
  const identity = record["userIdentity"];
  if (isObject(identity)) {
    const name = userNameOf(identity);
    if (name !== undefined) {
      fields["user.name"] = name;
      related.users.push(name);
    }
    put(fields, "user.id", text(identity["principalId"]));
  }
  const request = record["requestParameters"];
  const target = isObject(request) ? text(request["userName"]) : undefined;
  if (target !== undefined) {
    fields["user.target.name"] = target;
    if (!related.users.includes(target)) related.users.push(target);
  }
  if (isObject(request)) put(fields, "group.name", text(request["groupName"]));
}

/** The user; for a session the role that was assumed; for a service its name. */
function userNameOf(identity: JsonObject): string | undefined {
  const session = identity["sessionContext"];
  const issuer = isObject(session) ? session["sessionIssuer"] : undefined;
  return (
    text(identity["userName"]) ??
    (isObject(issuer) ? text(issuer["userName"]) : undefined) ??
    (identity["type"] === "Root" ? "root" : undefined) ??
    text(identity["invokedBy"]) ??
    lastPart(text(identity["arn"]))
  );
}

const lastPart = (arn: string | undefined): string | undefined =>
  arn === undefined ? undefined : arn.slice(arn.lastIndexOf("/") + 1) || undefined;

function putClient(fields: Fields, record: JsonObject, related: Related): void {
  const source = text(record["sourceIPAddress"]);
  if (source !== undefined) {
    fields["source.address"] = source;
    const address = plainIp(source);
    if (address !== undefined) {
      fields["source.ip"] = address;
      related.addresses.push(address);
    }
  }
  put(fields, "user_agent.original", text(record["userAgent"]));
  const tls = record["tlsDetails"];
  if (!isObject(tls)) return;
  put(fields, "tls.version", text(tls["tlsVersion"]));
  put(fields, "tls.cipher", text(tls["cipherSuite"]));
  put(fields, "tls.client.server_name", text(tls["clientProvidedHostHeader"]));
}

function put(fields: Fields, key: string, value: string | undefined): void {
  if (value !== undefined) fields[key] = value;
}

/** Longest text kept of request or response as a whole; CloudTrail itself cuts a record at 256 KiB. */
const maxWhole = 32_768;

function putWhole(fields: Fields, key: string, value: JsonValue | undefined): void {
  if (value === null || value === undefined) return;
  fields[key] = (typeof value === "string" ? value : JSON.stringify(value)).slice(0, maxWhole);
}

export default defineDocuments({
  name: "aws_cloudtrail",
  summary: "AWS CloudTrail records: one a document, in Records files as delivered to S3, or in EventBridge envelopes.",
  description:
    "Every path of the record is kept as aws.cloudtrail.<path> in AWS's own spelling; what ECS has a name for stands there too. " +
    "requestParameters and responseElements are searchable as a whole in aws.cloudtrail.request_parameters and aws.cloudtrail.response_elements.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["eventSource", "Records", "detail"],
  claims,
  members: recordsOf,
  decode(object) {
    if (isRecord(object)) return decodeRecord(object);
    const detail = detailOf(object);
    return isRecord(detail) ? decodeRecord(detail) : unknownShape;
  },
  examples: [
    {
      title: "a failed console sign-in",
      input:
        '{"Records":[{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE","accountId":"123456789012","userName":"ada"},' +
        '"eventTime":"2024-05-01T10:00:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.10",' +
        '"userAgent":"Mozilla/5.0","errorMessage":"Failed authentication","requestParameters":null,"responseElements":{"ConsoleLogin":"Failure"},' +
        '"eventID":"11111111-2222-4333-8444-555555555555","recipientAccountId":"123456789012"}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "aws",
          "event.dataset": "aws.cloudtrail",
          "event.provider": "signin.amazonaws.com",
          "event.action": "ConsoleLogin",
          "event.id": "11111111-2222-4333-8444-555555555555",
          "event.category": ["authentication"],
          "event.type": ["start"],
          "event.outcome": "failure",
          "error.message": "Failed authentication",
          "cloud.provider": "aws",
          "cloud.region": "eu-central-1",
          "cloud.account.id": "123456789012",
          "user.name": "ada",
          "user.id": "AIDAEXAMPLE",
          "source.address": "192.0.2.10",
          "source.ip": "192.0.2.10",
          "user_agent.original": "Mozilla/5.0",
          "related.user": ["ada"],
          "related.ip": ["192.0.2.10"],
          "aws.cloudtrail.eventVersion": "1.09",
          "aws.cloudtrail.userIdentity.type": "IAMUser",
          "aws.cloudtrail.userIdentity.principalId": "AIDAEXAMPLE",
          "aws.cloudtrail.userIdentity.accountId": "123456789012",
          "aws.cloudtrail.userIdentity.userName": "ada",
          "aws.cloudtrail.eventTime": "2024-05-01T10:00:00Z",
          "aws.cloudtrail.eventSource": "signin.amazonaws.com",
          "aws.cloudtrail.eventName": "ConsoleLogin",
          "aws.cloudtrail.awsRegion": "eu-central-1",
          "aws.cloudtrail.sourceIPAddress": "192.0.2.10",
          "aws.cloudtrail.userAgent": "Mozilla/5.0",
          "aws.cloudtrail.errorMessage": "Failed authentication",
          "aws.cloudtrail.responseElements.ConsoleLogin": "Failure",
          "aws.cloudtrail.response_elements": '{"ConsoleLogin":"Failure"}',
          "aws.cloudtrail.eventID": "11111111-2222-4333-8444-555555555555",
          "aws.cloudtrail.recipientAccountId": "123456789012",
        },
      ],
    },
    { title: "a file without records", input: '{"Records":[]}', expect: { skip: "blank" } },
    { title: "another document", input: '{"a":1}', expect: { flaw: "unknown_shape" } },
  ],
});
