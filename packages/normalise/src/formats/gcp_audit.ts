/** Google Cloud's audit logs to ECS: LogEntry documents with a protoPayload. Knows no project. */
import { type JsonObject, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { typeOfOperation } from "../ecs/verbs.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";
import { spelling } from "../json/spelling.ts";

const unknownShape: Flaw = { code: "unknown_shape", expected: "a LogEntry with logName and protoPayload" };

const read = documentReader({
  module: "gcp",
  dataset: "gcp.audit",
  prefix: "gcp.audit.",
  time: ["timestamp", "receiveTimestamp"],
  map: {
    "event.action": "protoPayload.methodName",
    "event.provider": "protoPayload.serviceName",
    "event.id": "insertId",
    "user.name": ["protoPayload.authenticationInfo.principalEmail", "protoPayload.authenticationInfo.principalSubject"],
    "user.email": "protoPayload.authenticationInfo.principalEmail",
    "source.ip": ["protoPayload.requestMetadata.callerIp", "protoPayload.requestMetadata.callerIP"],
    "source.as.number": "protoPayload.requestMetadata.callerNetworkAsn",
    "user_agent.original": "protoPayload.requestMetadata.callerSuppliedUserAgent",
    "cloud.project.id": ["resource.labels.project_id", "resource.labels.projectId"],
    "cloud.region": ["resource.labels.location", "resource.labels.zone", "protoPayload.resourceLocation.currentLocations.0"],
    "cloud.service.name": "protoPayload.serviceName",
    "log.level": "severity",
    "log.logger": "logName",
    "error.code": "protoPayload.status.code",
    "error.message": "protoPayload.status.message",
  },
});

const iam = /(?:^|\.)(?:iam|admin|cloudidentity|iamcredentials|login)\.|SetIamPolicy|ServiceAccount|setIamPolicy/;
const network = /(?:firewalls|routes|networks|subnetworks|vpnTunnels|forwardingRules|securityPolicies|NetworkService)\b/i;

function setMeaning(fields: Fields, service: string, method: string): void {
  const isLogin = service === "login.googleapis.com";
  if (isLogin) fields["event.category"] = "authentication";
  else if (iam.test(`${service}.${method}`)) fields["event.category"] = "iam";
  else if (service === "storage.googleapis.com" && method.startsWith("storage.objects.")) fields["event.category"] = "file";
  else if (service === "k8s.io" && /\.(?:exec|attach)\./.test(method)) fields["event.category"] = ["session", "process"];
  else fields["event.category"] = network.test(method) ? ["network", "configuration"] : "configuration";
  fields["event.type"] = isLogin ? (method.includes("fail") ? "info" : "start") : typeOfOperation(method);
}

/** A status with a code is a failure (google.rpc.Code); so is a permission that was not granted. */
function isRefused(payload: JsonObject): boolean {
  const status = payload["status"];
  if (isObject(status) && typeof status["code"] === "number" && status["code"] !== 0) return true;
  const permissions = payload["authorizationInfo"];
  return Array.isArray(permissions) && (permissions as readonly unknown[]).some((one) => isObject(one) && one["granted"] === false);
}

const { restore, member } = spelling("insertId logName protoPayload receiveTimestamp");

const payloadOf = (object: JsonObject): JsonObject | undefined => {
  const payload = member(object, "protoPayload");
  return isObject(payload) ? payload : undefined;
};

function claims(object: JsonObject): number {
  if (payloadOf(object) === undefined) return 0;
  const log = member(object, "logName");
  return (typeof log === "string" && log.includes("cloudaudit.googleapis.com")) || member(object, "insertId") !== undefined ? 1 : 0.8;
}

export default defineDocuments({
  name: "gcp_audit",
  summary: "Google Cloud audit logs: admin activity, data access, system events, policy denials, and Google Workspace events sent there.",
  description: "Every value is kept as gcp.audit.<path>. A status code or a permission that was not granted makes event.outcome a failure.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["protoPayload"],
  claims,
  decode(object) {
    const payload = payloadOf(object);
    if (payload === undefined) return unknownShape;
    const { time, fields } = read(restore(object));
    fields["cloud.provider"] = "gcp";
    setMeaning(fields, textOf(payload["serviceName"]) ?? "", textOf(payload["methodName"]) ?? "");
    fields["event.outcome"] = isRefused(payload) ? "failure" : "success";
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a key made for a service account",
      input:
        '{"insertId":"1abc","logName":"projects/example/logs/cloudaudit.googleapis.com%2Factivity","protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",' +
        '"authenticationInfo":{"principalEmail":"ada@example.com"},"authorizationInfo":[{"granted":true,"permission":"iam.serviceAccountKeys.create"}],' +
        '"methodName":"google.iam.admin.v1.CreateServiceAccountKey","requestMetadata":{"callerIp":"192.0.2.10","callerSuppliedUserAgent":"google-cloud-sdk"},' +
        '"resourceName":"projects/-/serviceAccounts/1","serviceName":"iam.googleapis.com","status":{}},"resource":{"type":"service_account","labels":{"project_id":"example"}},' +
        '"severity":"NOTICE","timestamp":"2024-05-01T10:00:00.123456789Z"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123456Z",
          "event.kind": "event",
          "event.module": "gcp",
          "event.dataset": "gcp.audit",
          "gcp.audit.insertId": "1abc",
          "gcp.audit.logName": "projects/example/logs/cloudaudit.googleapis.com%2Factivity",
          "gcp.audit.protoPayload.@type": "type.googleapis.com/google.cloud.audit.AuditLog",
          "gcp.audit.protoPayload.authenticationInfo.principalEmail": "ada@example.com",
          "gcp.audit.protoPayload.authorizationInfo.granted": [true],
          "gcp.audit.protoPayload.authorizationInfo.permission": ["iam.serviceAccountKeys.create"],
          "gcp.audit.protoPayload.methodName": "google.iam.admin.v1.CreateServiceAccountKey",
          "gcp.audit.protoPayload.requestMetadata.callerIp": "192.0.2.10",
          "gcp.audit.protoPayload.requestMetadata.callerSuppliedUserAgent": "google-cloud-sdk",
          "gcp.audit.protoPayload.resourceName": "projects/-/serviceAccounts/1",
          "gcp.audit.protoPayload.serviceName": "iam.googleapis.com",
          "gcp.audit.resource.type": "service_account",
          "gcp.audit.resource.labels.project_id": "example",
          "gcp.audit.severity": "NOTICE",
          "gcp.audit.timestamp": "2024-05-01T10:00:00.123456789Z",
          "event.action": "google.iam.admin.v1.CreateServiceAccountKey",
          "event.provider": "iam.googleapis.com",
          "event.id": "1abc",
          "user.name": "ada@example.com",
          "user.email": "ada@example.com",
          "source.ip": "192.0.2.10",
          "user_agent.original": "google-cloud-sdk",
          "cloud.project.id": "example",
          "cloud.service.name": "iam.googleapis.com",
          "log.level": "NOTICE",
          "log.logger": "projects/example/logs/cloudaudit.googleapis.com%2Factivity",
          "cloud.provider": "gcp",
          "event.category": "iam",
          "event.type": "creation",
          "event.outcome": "success",
          "related.ip": ["192.0.2.10"],
          "related.user": ["ada@example.com"],
        },
      ],
    },
    {
      title: "an object that could not be read",
      input:
        '{"insertId":"2","logName":"projects/example/logs/cloudaudit.googleapis.com%2Fdata_access","protoPayload":{"authenticationInfo":{"principalEmail":"bob@example.com"},' +
        '"methodName":"storage.objects.get","serviceName":"storage.googleapis.com","status":{"code":7,"message":"PERMISSION_DENIED"},"requestMetadata":{"callerIp":"gce-internal-ip"}},"timestamp":"2024-05-01T10:00:01Z"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.000000Z",
          "event.kind": "event",
          "event.module": "gcp",
          "event.dataset": "gcp.audit",
          "gcp.audit.insertId": "2",
          "gcp.audit.logName": "projects/example/logs/cloudaudit.googleapis.com%2Fdata_access",
          "gcp.audit.protoPayload.authenticationInfo.principalEmail": "bob@example.com",
          "gcp.audit.protoPayload.methodName": "storage.objects.get",
          "gcp.audit.protoPayload.serviceName": "storage.googleapis.com",
          "gcp.audit.protoPayload.status.code": 7,
          "gcp.audit.protoPayload.status.message": "PERMISSION_DENIED",
          "gcp.audit.protoPayload.requestMetadata.callerIp": "gce-internal-ip",
          "gcp.audit.timestamp": "2024-05-01T10:00:01Z",
          "event.action": "storage.objects.get",
          "event.provider": "storage.googleapis.com",
          "event.id": "2",
          "user.name": "bob@example.com",
          "user.email": "bob@example.com",
          "source.address": "gce-internal-ip",
          "cloud.service.name": "storage.googleapis.com",
          "log.logger": "projects/example/logs/cloudaudit.googleapis.com%2Fdata_access",
          "error.code": "7",
          "error.message": "PERMISSION_DENIED",
          "cloud.provider": "gcp",
          "event.category": "file",
          "event.type": "access",
          "event.outcome": "failure",
          "related.user": ["bob@example.com"],
        },
      ],
    },
    {
      title: "another document",
      input: '{"logName":"x"}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
