/** Azure's and Entra ID's logs to ECS: activity, sign-in, audit and risk records in the common schema of Azure Monitor. Knows no resource. */
import { type JsonObject, type JsonValue, z } from "@vedette/kit";
import type { Fields, FieldValue, Flaw } from "@vedette/model";
import { putField } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { typeOfOperation } from "../ecs/verbs.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { spelling } from "../json/spelling.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: 'a record of Azure Monitor: {time, resourceId, operationName, category, …}, or {"records": [such records]}',
};

const read = documentReader({
  module: "azure",
  dataset: "azure.platformlogs",
  prefix: "azure.",
  time: [
    "time",
    "Time",
    "eventTimestamp",
    "createdDateTime",
    "activityDateTime",
    "properties.createdDateTime",
    "TimeGenerated",
    "timeStamp",
  ],
  map: {
    "event.action": ["operationName.value", "operationName", "OperationNameValue", "OperationName", "activityDisplayName", "riskEventType"],
    "event.id": ["eventDataId", "properties.id", "id"],
    "event.reason": [
      "resultDescription",
      "ResultDescription",
      "properties.status.failureReason",
      "status.failureReason",
      "properties.resultReason",
    ],
    message: ["properties.message", "description"],
    "user.name": [
      "properties.userPrincipalName",
      "userPrincipalName",
      "properties.initiatedBy.user.userPrincipalName",
      "initiatedBy.user.userPrincipalName",
      "properties.initiatedBy.app.displayName",
      "identity.claims.http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
      "identity.claims.name",
      "caller",
      "properties.servicePrincipalName",
    ],
    "user.id": [
      "properties.userId",
      "userId",
      "properties.initiatedBy.user.id",
      "identity.claims.http://schemas.microsoft.com/identity/claims/objectidentifier",
    ],
    "user.full_name": ["properties.userDisplayName", "userDisplayName"],
    "source.ip": [
      "callerIpAddress",
      "callerIPAddress",
      "CallerIPAddress",
      "properties.ipAddress",
      "ipAddress",
      "properties.initiatedBy.user.ipAddress",
      "httpRequest.clientIpAddress",
    ],
    "source.geo.country_iso_code": ["properties.location.countryOrRegion", "location.countryOrRegion"],
    "source.geo.city_name": ["properties.location.city", "location.city"],
    "user_agent.original": ["properties.userAgent", "userAgent"],
    "cloud.account.id": ["tenantId", "TenantId", "properties.tenantId"],
    "cloud.region": "location",
    "cloud.service.name": ["resourceProviderName.value", "ResourceProviderValue", "properties.appDisplayName"],
    "log.level": "level",
  },
});

interface Kind {
  readonly dataset: string;
  readonly category: FieldValue;
  readonly alert?: true;
}
const activity: Kind = { dataset: "azure.activitylogs", category: "configuration" };
const signIn: Kind = { dataset: "azure.signinlogs", category: "authentication" };
const risk: Kind = { dataset: "azure.identity_protection", category: ["intrusion_detection", "authentication"], alert: true };

/** By Azure Monitor's category, in small letters. */
const kinds = new Map<string, Kind>([
  ["administrative", activity],
  ["policy", activity],
  ["servicehealth", activity],
  ["resourcehealth", activity],
  ["autoscale", activity],
  ["recommendation", activity],
  ["alert", activity],
  ["security", { ...activity, category: "intrusion_detection", alert: true }],
  ["write", activity],
  ["delete", activity],
  ["action", activity],
  ["signinlogs", signIn],
  ["noninteractiveusersigninlogs", signIn],
  ["serviceprincipalsigninlogs", signIn],
  ["managedidentitysigninlogs", signIn],
  ["adfssigninlogs", signIn],
  ["auditlogs", { dataset: "azure.auditlogs", category: "iam" }],
  ["riskyusers", risk],
  ["userriskevents", risk],
  ["riskyserviceprincipals", risk],
  ["serviceprincipalriskevents", risk],
  ["storageread", { dataset: "azure.storage", category: "file" }],
  ["storagewrite", { dataset: "azure.storage", category: "file" }],
  ["storagedelete", { dataset: "azure.storage", category: "file" }],
  ["microsoftgraphactivitylogs", { dataset: "azure.graphactivitylogs", category: ["web", "iam"] }],
]);
const platform: Kind = { dataset: "azure.platformlogs", category: "configuration" };

/** The activity log's API, and Graph's answers, name no category of Azure Monitor. */
function kindOf(object: JsonObject): Kind {
  const category = object["category"] ?? object["Category"];
  const name = isObject(category) ? textOf(category["value"]) : textOf(category);
  const kind = name === undefined ? undefined : kinds.get(name.toLowerCase());
  if (kind !== undefined) return kind;
  if (object["riskEventType"] !== undefined) return risk;
  if (object["conditionalAccessStatus"] !== undefined || object["appDisplayName"] !== undefined) return signIn;
  if (object["activityDisplayName"] !== undefined) return kinds.get("auditlogs")!;
  if (isObject(object["authorization"]) || object["OperationNameValue"] !== undefined) return activity;
  return platform;
}

/** `properties` is at times the text of a JSON object. */
function unpacked(object: JsonObject): JsonObject {
  const properties = object["properties"];
  if (typeof properties !== "string" || !looksLikeObject(properties)) return object;
  const parsed = parseObject(properties);
  return isFlaw(parsed) ? object : { ...object, properties: parsed };
}

const failed = /^(?:fail|denied|error|clienterror|servererror|interrupted|timeout)/i;
const done = /^(?:succe|ok$|accept|start|created|active|resolved|true$)/i;

/** Entra ID's sign-ins give an error number, 0 for none; the others a word. */
function outcomeOf(object: JsonObject): string | undefined {
  const properties = isObject(object["properties"]) ? object["properties"] : {};
  const status = isObject(properties["status"]) ? properties["status"] : isObject(object["status"]) ? object["status"] : {};
  const code = status["errorCode"] ?? properties["errorCode"];
  if (typeof code === "number") return code === 0 ? "success" : "failure";
  for (const told of [
    object["resultType"],
    object["ResultType"],
    properties["result"],
    object["result"],
    object["resultSignature"],
    status["value"],
    object["status"],
    object["statusCode"],
  ]) {
    const text = typeof told === "number" ? String(told) : textOf(told);
    if (text === undefined) continue;
    if (/^\d{1,9}$/.test(text)) return Number(text) === 0 || (Number(text) >= 200 && Number(text) < 400) ? "success" : "failure";
    if (failed.test(text)) return "failure";
    if (done.test(text)) return "success";
  }
  return undefined;
}

/** The first target resource of an audit record that is a user, and the groups. */
function setTargets(fields: Fields, object: JsonObject): void {
  const properties = isObject(object["properties"]) ? object["properties"] : object;
  const targets = properties["targetResources"];
  if (!Array.isArray(targets)) return;
  for (const target of targets as readonly JsonValue[]) {
    if (!isObject(target)) continue;
    if (fields["user.target.name"] === undefined) putField(fields, "user.target.name", target["userPrincipalName"]);
    if (target["type"] === "Group") putField(fields, "group.name", target["displayName"]);
  }
}

const { restore } = spelling(
  "operationName operationVersion resourceId resultType resultSignature resultDescription callerIpAddress correlationId tenantId durationMs",
);

const resource = /^\/(?:subscriptions|tenants|providers)\//i;

function isRecord(object: JsonObject): boolean {
  const id = object["resourceId"] ?? object["ResourceId"];
  const operation = object["operationName"] ?? object["OperationName"] ?? object["OperationNameValue"];
  return operation !== undefined && typeof id === "string" && resource.test(id);
}

function claims(told: JsonObject): number {
  const object = restore(told);
  if (isRecord(object)) return 1;
  const records = object["records"];
  if (Array.isArray(records)) return isObject(records[0]) && claims(records[0]) >= 0.5 ? 0.95 : 0;
  if (object["riskEventType"] !== undefined && object["riskLevel"] !== undefined) return 0.9;
  if (isObject(object["operationName"]) && object["eventDataId"] !== undefined) return 1;
  if (object["userPrincipalName"] !== undefined && object["appDisplayName"] !== undefined) return 0.9;
  if (object["activityDisplayName"] !== undefined && object["targetResources"] !== undefined) return 0.9;
  const category = object["category"];
  return object["operationName"] !== undefined && typeof category === "string" && kinds.has(category.toLowerCase()) ? 0.8 : 0;
}

export default defineDocuments({
  name: "azure",
  summary: "Azure activity logs and Entra ID's sign-in, audit and risk logs, single or as Event Hubs and storage accounts hold them.",
  description:
    "Every value is kept as azure.<path> in Azure's own spelling. event.dataset tells azure.activitylogs, azure.signinlogs, azure.auditlogs, azure.identity_protection and azure.platformlogs apart.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["operationName", "OperationName", "OperationNameValue", "records", "riskEventType", "userPrincipalName", "activityDisplayName"],
  claims,
  members: (object) => object["records"],
  decode(told) {
    if (claims(told) === 0 && told["operationName"] === undefined) return unknownShape;
    const object = unpacked(restore(told));
    const { time, fields } = read(object);
    const kind = kindOf(object);
    if (kind.alert === true) fields["event.kind"] = "alert";
    fields["event.dataset"] = kind.dataset;
    fields["event.category"] = kind.category;
    fields["cloud.provider"] = "azure";
    const outcome = outcomeOf(object);
    if (outcome !== undefined) fields["event.outcome"] = outcome;
    const action = fields["event.action"];
    if (kind === signIn) fields["event.type"] = outcome === "success" ? "start" : "info";
    else if (kind === risk) fields["event.type"] = "indicator";
    else fields["event.type"] = typeOfOperation(typeof action === "string" ? action.replace(/\/action$/i, "") : "");
    setTargets(fields, object);
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "an alerting group deleted",
      input:
        '{"time":"2024-05-01T10:00:00.1234567Z","resourceId":"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Insights/actionGroups/oncall","operationName":"Microsoft.Insights/actionGroups/delete",' +
        '"category":"Administrative","resultType":"Success","callerIpAddress":"192.0.2.10","correlationId":"c1","location":"westeurope","tenantId":"t1","identity":{"claims":{"name":"Ada"}}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123456Z",
          "event.kind": "event",
          "event.module": "azure",
          "event.dataset": "azure.activitylogs",
          "azure.time": "2024-05-01T10:00:00.1234567Z",
          "azure.resourceId": "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Insights/actionGroups/oncall",
          "azure.operationName": "Microsoft.Insights/actionGroups/delete",
          "azure.category": "Administrative",
          "azure.resultType": "Success",
          "azure.callerIpAddress": "192.0.2.10",
          "azure.correlationId": "c1",
          "azure.location": "westeurope",
          "azure.tenantId": "t1",
          "azure.identity.claims.name": "Ada",
          "event.action": "Microsoft.Insights/actionGroups/delete",
          "user.name": "Ada",
          "source.ip": "192.0.2.10",
          "cloud.account.id": "t1",
          "cloud.region": "westeurope",
          "event.category": "configuration",
          "cloud.provider": "azure",
          "event.outcome": "success",
          "event.type": "deletion",
          "related.ip": ["192.0.2.10"],
          "related.user": ["Ada"],
        },
      ],
    },
    {
      title: "a failed sign-in, in the records of an event hub",
      input:
        '{"records":[{"time":"2024-05-01T10:00:01Z","resourceId":"/tenants/t1/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"t1","resultType":"50126",' +
        '"resultDescription":"Invalid username or password","callerIpAddress":"2001:db8::7","properties":{"userPrincipalName":"bob@example.com","userId":"u2","appDisplayName":"Azure Portal",' +
        '"userAgent":"Mozilla/5.0","location":{"city":"Berlin","countryOrRegion":"DE"},"status":{"errorCode":50126}}}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.000000Z",
          "event.kind": "event",
          "event.module": "azure",
          "event.dataset": "azure.signinlogs",
          "azure.time": "2024-05-01T10:00:01Z",
          "azure.resourceId": "/tenants/t1/providers/Microsoft.aadiam",
          "azure.operationName": "Sign-in activity",
          "azure.category": "SignInLogs",
          "azure.tenantId": "t1",
          "azure.resultType": "50126",
          "azure.resultDescription": "Invalid username or password",
          "azure.callerIpAddress": "2001:db8::7",
          "azure.properties.userPrincipalName": "bob@example.com",
          "azure.properties.userId": "u2",
          "azure.properties.appDisplayName": "Azure Portal",
          "azure.properties.userAgent": "Mozilla/5.0",
          "azure.properties.location.city": "Berlin",
          "azure.properties.location.countryOrRegion": "DE",
          "azure.properties.status.errorCode": 50126,
          "event.action": "Sign-in activity",
          "event.reason": "Invalid username or password",
          "user.name": "bob@example.com",
          "user.id": "u2",
          "source.ip": "2001:db8::7",
          "source.geo.country_iso_code": "DE",
          "source.geo.city_name": "Berlin",
          "user_agent.original": "Mozilla/5.0",
          "cloud.account.id": "t1",
          "cloud.service.name": "Azure Portal",
          "event.category": "authentication",
          "cloud.provider": "azure",
          "event.outcome": "failure",
          "event.type": "info",
          "related.ip": ["2001:db8::7"],
          "related.user": ["bob@example.com"],
        },
      ],
    },
    {
      title: "a member added to a role",
      input:
        '{"time":"2024-05-01T10:00:02Z","resourceId":"/tenants/t1/providers/Microsoft.aadiam","operationName":"Add member to role","category":"AuditLogs","properties":{"result":"success",' +
        '"initiatedBy":{"user":{"userPrincipalName":"ada@example.com","ipAddress":"192.0.2.10"}},"targetResources":[{"type":"User","userPrincipalName":"eve@example.com"}]}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:02.000000Z",
          "event.kind": "event",
          "event.module": "azure",
          "event.dataset": "azure.auditlogs",
          "azure.time": "2024-05-01T10:00:02Z",
          "azure.resourceId": "/tenants/t1/providers/Microsoft.aadiam",
          "azure.operationName": "Add member to role",
          "azure.category": "AuditLogs",
          "azure.properties.result": "success",
          "azure.properties.initiatedBy.user.userPrincipalName": "ada@example.com",
          "azure.properties.initiatedBy.user.ipAddress": "192.0.2.10",
          "azure.properties.targetResources.type": ["User"],
          "azure.properties.targetResources.userPrincipalName": ["eve@example.com"],
          "event.action": "Add member to role",
          "user.name": "ada@example.com",
          "source.ip": "192.0.2.10",
          "event.category": "iam",
          "cloud.provider": "azure",
          "event.outcome": "success",
          "event.type": "creation",
          "user.target.name": "eve@example.com",
          "related.ip": ["192.0.2.10"],
          "related.user": ["ada@example.com", "eve@example.com"],
        },
      ],
    },
    {
      title: "another document",
      input: '{"category":"x"}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
