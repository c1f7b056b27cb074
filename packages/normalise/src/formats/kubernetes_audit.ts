/** Kubernetes audit events to ECS, one a document or in the lists the audit webhook sends. Knows no cluster. */
import { type JsonObject, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";
import { setUrl } from "../web/url.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: 'a Kubernetes audit event: {"kind": "Event", "auditID": …}, or an EventList of them',
};

const read = documentReader({
  module: "kubernetes",
  dataset: "kubernetes.audit_logs",
  prefix: "kubernetes.audit.",
  // The stages of one request share its first stamp; each has one of its own.
  time: ["stageTimestamp", "requestReceivedTimestamp", "timestamp"],
  map: {
    "event.action": "verb",
    "event.id": "auditID",
    "user.name": "user.username",
    "user.id": "user.uid",
    "user.roles": "user.groups",
    "user.effective.name": "impersonatedUser.username",
    // The API server puts the nearest proxy last; what the client is, first.
    "source.ip": "sourceIPs.0",
    "user_agent.original": "userAgent",
    "http.response.status_code": "responseStatus.code",
    "event.reason": ["annotations.authorization.k8s.io/reason", "responseStatus.reason"],
    "orchestrator.namespace": "objectRef.namespace",
    "orchestrator.resource.type": "objectRef.resource",
    "orchestrator.resource.name": "objectRef.name",
    "orchestrator.api_version": "objectRef.apiVersion",
    "container.image.name": "requestObject.spec.containers.image",
  },
});

const iamResources = new Set([
  "roles",
  "rolebindings",
  "clusterroles",
  "clusterrolebindings",
  "serviceaccounts",
  "certificatesigningrequests",
]);
const logons = new Set(["tokenreviews", "selfsubjectaccessreviews", "subjectaccessreviews"]);
const entries = new Set(["exec", "attach", "portforward"]);

function setMeaning(fields: Fields, object: JsonObject): void {
  const reference = isObject(object["objectRef"]) ? object["objectRef"] : {};
  const resource = textOf(reference["resource"]) ?? "";
  const sub = textOf(reference["subresource"]) ?? "";
  if (entries.has(sub)) {
    fields["event.category"] = ["session", "process"];
    fields["event.type"] = "start";
    return;
  }
  fields["event.category"] = iamResources.has(resource) ? "iam" : logons.has(resource) ? "authentication" : "configuration";
  fields["event.type"] = typeOfVerb(textOf(object["verb"]) ?? "");
}

function typeOfVerb(verb: string): string {
  if (verb === "create") return "creation";
  if (verb === "delete" || verb === "deletecollection") return "deletion";
  return verb === "update" || verb === "patch" || verb === "bind" || verb === "escalate" || verb === "impersonate" ? "change" : "access";
}

function setOutcome(fields: Fields, object: JsonObject): void {
  const annotations = object["annotations"];
  const decision = isObject(annotations) ? annotations["authorization.k8s.io/decision"] : undefined;
  const code = fields["http.response.status_code"];
  if (decision === "forbid" || (typeof code === "number" && code >= 400)) fields["event.outcome"] = "failure";
  else if (typeof code === "number" || decision === "allow") fields["event.outcome"] = "success";
}

/** Some collectors leave out the audit's id. */
const isEvent = (object: JsonObject): boolean =>
  object["kind"] === "Event" &&
  (object["auditID"] !== undefined || (typeof object["apiVersion"] === "string" && object["apiVersion"].startsWith("audit.k8s.io/")));

export default defineDocuments({
  name: "kubernetes_audit",
  summary: "Kubernetes audit events: lines of the audit log, or the EventLists that the audit webhook sends.",
  description:
    "Every value is kept as kubernetes.audit.<path>. Requests into a container (exec, attach, portforward) are event.category session and process; roles, bindings and service accounts are iam.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["kind"],
  claims: (object) => (isEvent(object) || (object["kind"] === "EventList" && Array.isArray(object["items"])) ? 1 : 0),
  members: (object) => (isEvent(object) ? undefined : object["items"]),
  decode(object) {
    // The items of an EventList leave out their kind.
    if (object["auditID"] === undefined && !isEvent(object)) return unknownShape;
    const { time, fields } = read(object);
    fields["orchestrator.type"] = "kubernetes";
    setMeaning(fields, object);
    setOutcome(fields, object);
    const uri = textOf(object["requestURI"]);
    if (uri !== undefined) setUrl(fields, uri);
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a shell in a pod",
      input:
        '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"0b9c2e2d-53ff-4f33-9c19-2c4a3f1f1c11","stage":"ResponseStarted",' +
        '"requestURI":"/api/v1/namespaces/default/pods/web-1/exec?command=sh&stdin=true","verb":"create","user":{"username":"ada","groups":["dev","system:authenticated"]},' +
        '"sourceIPs":["192.0.2.10","10.0.0.1"],"userAgent":"kubectl/v1.30.0","objectRef":{"resource":"pods","namespace":"default","name":"web-1","apiVersion":"v1","subresource":"exec"},' +
        '"responseStatus":{"code":101},"requestReceivedTimestamp":"2024-05-01T10:00:00.000001Z","stageTimestamp":"2024-05-01T10:00:00.250000Z",' +
        '"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.250000Z",
          "event.kind": "event",
          "event.module": "kubernetes",
          "event.dataset": "kubernetes.audit_logs",
          "kubernetes.audit.kind": "Event",
          "kubernetes.audit.apiVersion": "audit.k8s.io/v1",
          "kubernetes.audit.level": "Request",
          "kubernetes.audit.auditID": "0b9c2e2d-53ff-4f33-9c19-2c4a3f1f1c11",
          "kubernetes.audit.stage": "ResponseStarted",
          "kubernetes.audit.requestURI": "/api/v1/namespaces/default/pods/web-1/exec?command=sh&stdin=true",
          "kubernetes.audit.verb": "create",
          "kubernetes.audit.user.username": "ada",
          "kubernetes.audit.user.groups": ["dev", "system:authenticated"],
          "kubernetes.audit.sourceIPs": ["192.0.2.10", "10.0.0.1"],
          "kubernetes.audit.userAgent": "kubectl/v1.30.0",
          "kubernetes.audit.objectRef.resource": "pods",
          "kubernetes.audit.objectRef.namespace": "default",
          "kubernetes.audit.objectRef.name": "web-1",
          "kubernetes.audit.objectRef.apiVersion": "v1",
          "kubernetes.audit.objectRef.subresource": "exec",
          "kubernetes.audit.responseStatus.code": 101,
          "kubernetes.audit.requestReceivedTimestamp": "2024-05-01T10:00:00.000001Z",
          "kubernetes.audit.stageTimestamp": "2024-05-01T10:00:00.250000Z",
          "kubernetes.audit.annotations.authorization.k8s.io/decision": "allow",
          "kubernetes.audit.annotations.authorization.k8s.io/reason": "RBAC: allowed",
          "event.action": "create",
          "event.id": "0b9c2e2d-53ff-4f33-9c19-2c4a3f1f1c11",
          "user.name": "ada",
          "user.roles": ["dev", "system:authenticated"],
          "source.ip": "192.0.2.10",
          "user_agent.original": "kubectl/v1.30.0",
          "http.response.status_code": 101,
          "event.reason": "RBAC: allowed",
          "orchestrator.namespace": "default",
          "orchestrator.resource.type": "pods",
          "orchestrator.resource.name": "web-1",
          "orchestrator.api_version": "v1",
          "orchestrator.type": "kubernetes",
          "event.category": ["session", "process"],
          "event.type": "start",
          "event.outcome": "success",
          "url.original": "/api/v1/namespaces/default/pods/web-1/exec?command=sh&stdin=true",
          "url.path": "/api/v1/namespaces/default/pods/web-1/exec",
          "url.query": "command=sh&stdin=true",
          "related.ip": ["192.0.2.10"],
          "related.user": ["ada"],
        },
      ],
    },
    {
      title: "a webhook's list with a refused request",
      input:
        '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"level":"Metadata","auditID":"2","stage":"ResponseComplete","requestURI":"/api/v1/secrets","verb":"list",' +
        '"user":{"username":"system:serviceaccount:default:web"},"sourceIPs":["10.0.0.7"],"objectRef":{"resource":"secrets","apiVersion":"v1"},"responseStatus":{"code":403,"reason":"Forbidden"},' +
        '"stageTimestamp":"2024-05-01T10:00:01Z"}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.000000Z",
          "event.kind": "event",
          "event.module": "kubernetes",
          "event.dataset": "kubernetes.audit_logs",
          "kubernetes.audit.level": "Metadata",
          "kubernetes.audit.auditID": "2",
          "kubernetes.audit.stage": "ResponseComplete",
          "kubernetes.audit.requestURI": "/api/v1/secrets",
          "kubernetes.audit.verb": "list",
          "kubernetes.audit.user.username": "system:serviceaccount:default:web",
          "kubernetes.audit.sourceIPs": ["10.0.0.7"],
          "kubernetes.audit.objectRef.resource": "secrets",
          "kubernetes.audit.objectRef.apiVersion": "v1",
          "kubernetes.audit.responseStatus.code": 403,
          "kubernetes.audit.responseStatus.reason": "Forbidden",
          "kubernetes.audit.stageTimestamp": "2024-05-01T10:00:01Z",
          "event.action": "list",
          "event.id": "2",
          "user.name": "system:serviceaccount:default:web",
          "source.ip": "10.0.0.7",
          "http.response.status_code": 403,
          "event.reason": "Forbidden",
          "orchestrator.resource.type": "secrets",
          "orchestrator.api_version": "v1",
          "orchestrator.type": "kubernetes",
          "event.category": "configuration",
          "event.type": "access",
          "event.outcome": "failure",
          "url.original": "/api/v1/secrets",
          "url.path": "/api/v1/secrets",
          "related.ip": ["10.0.0.7"],
          "related.user": ["system:serviceaccount:default:web"],
        },
      ],
    },
    {
      title: "another document",
      input: '{"kind":"Event"}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
