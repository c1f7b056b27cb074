/** Findings of Amazon GuardDuty, as exported, and as EventBridge wraps them. Knows no kind of finding. */
import { type JsonObject, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";

const read = documentReader({
  module: "aws",
  dataset: "aws.guardduty",
  prefix: "aws.guardduty.",
  time: ["service.eventLastSeen", "updatedAt", "createdAt"],
  map: {
    "event.id": "id",
    "event.start": "service.eventFirstSeen",
    "event.end": "service.eventLastSeen",
    "event.severity": "severity",
    message: ["title", "description"],
    "rule.name": "type",
    "cloud.account.id": "accountId",
    "cloud.region": "region",
    "cloud.instance.id": "resource.instanceDetails.instanceId",
    "user.name": "resource.accessKeyDetails.userName",
    "source.ip": [
      "service.action.networkConnectionAction.remoteIpDetails.ipAddressV4",
      "service.action.awsApiCallAction.remoteIpDetails.ipAddressV4",
      "service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV4",
      "service.action.portProbeAction.portProbeDetails.remoteIpDetails.ipAddressV4",
    ],
    "dns.question.name": "service.action.dnsRequestAction.domain",
    "event.action": ["service.action.awsApiCallAction.api", "service.action.actionType"],
    "file.hash.sha256": "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames.filePaths.hash",
    "orchestrator.cluster.name": "resource.eksClusterDetails.name",
  },
});

/** The finding itself: EventBridge has it below `detail`. */
function findingOf(object: JsonObject): JsonObject | undefined {
  const detail = object["detail"];
  const finding = object["detail-type"] === "GuardDuty Finding" && isObject(detail) ? detail : object;
  const { service } = finding;
  return typeof finding["type"] === "string" && isObject(service) && service["serviceName"] === "guardduty" ? finding : undefined;
}

/** `Recon:EC2/PortProbe` is about a network, `…:IAMUser/…` about an account. */
function categoryOf(type: string): readonly string[] {
  const about = /:(\w{1,64})\//.exec(type.slice(0, 256))?.[1];
  if (about === "IAMUser") return ["intrusion_detection", "iam"];
  if (about === "Runtime") return ["intrusion_detection", "process"];
  return about === "EC2" ? ["intrusion_detection", "network"] : ["intrusion_detection"];
}

/** Who connected to whom: of an outbound connection the remote end is where it went. */
function setDirection(fields: Fields, finding: JsonObject): void {
  const service = finding["service"] as JsonObject;
  const action = isObject(service["action"]) ? service["action"]["networkConnectionAction"] : undefined;
  if (!isObject(action)) return;
  const outbound = action["connectionDirection"] === "OUTBOUND";
  const [local, remote] = [action["localPortDetails"], action["remotePortDetails"]];
  const [localPort, remotePort] = [local, remote].map((one) =>
    isObject(one) && typeof one["port"] === "number" ? one["port"] : undefined,
  );
  if (outbound && fields["source.ip"] !== undefined) {
    fields["destination.ip"] = fields["source.ip"];
    delete fields["source.ip"];
  }
  if (localPort !== undefined) fields[outbound ? "source.port" : "destination.port"] = localPort;
  if (remotePort !== undefined) fields[outbound ? "destination.port" : "source.port"] = remotePort;
  fields["network.direction"] = outbound ? "egress" : "ingress";
}

export default defineDocuments({
  name: "aws_guardduty",
  summary: "Findings of Amazon GuardDuty, exported to S3 or delivered by EventBridge.",
  description: "Every value is kept as aws.guardduty.<path>. A finding is an alert: its type is rule.name, its severity event.severity.",
  stability: "beta",
  config: z.strictObject({}),
  claims: (object) => (findingOf(object) === undefined ? 0 : 1),
  decode(object) {
    const finding = findingOf(object);
    if (finding === undefined) return { code: "unknown_shape", expected: "a GuardDuty finding with type and service.serviceName" };
    const { time, fields } = read(finding);
    fields["event.kind"] = "alert";
    fields["event.category"] = categoryOf(textOf(finding["type"]) ?? "");
    fields["event.type"] = "info";
    fields["cloud.provider"] = "aws";
    setDirection(fields, finding);
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "passwords guessed at an instance",
      input:
        '{"detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{"accountId":"123456789012","region":"us-east-1","id":"f1","type":"UnauthorizedAccess:EC2/SSHBruteForce",' +
        '"resource":{"instanceDetails":{"instanceId":"i-1"}},"service":{"serviceName":"guardduty","action":{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{"connectionDirection":"INBOUND",' +
        '"remoteIpDetails":{"ipAddressV4":"203.0.113.9"},"localPortDetails":{"port":22}}},"eventLastSeen":"2024-05-01T10:00:00Z"},"severity":5,"title":"SSH brute force"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "alert",
          "event.module": "aws",
          "event.dataset": "aws.guardduty",
          "event.category": ["intrusion_detection", "network"],
          "event.type": "info",
          "event.id": "f1",
          "event.end": "2024-05-01T10:00:00Z",
          "event.severity": 5,
          "event.action": "NETWORK_CONNECTION",
          "rule.name": "UnauthorizedAccess:EC2/SSHBruteForce",
          "cloud.provider": "aws",
          "cloud.account.id": "123456789012",
          "cloud.region": "us-east-1",
          "cloud.instance.id": "i-1",
          "source.ip": "203.0.113.9",
          "destination.port": 22,
          "network.direction": "ingress",
          "related.ip": ["203.0.113.9"],
          message: "SSH brute force",
          "aws.guardduty.accountId": "123456789012",
          "aws.guardduty.region": "us-east-1",
          "aws.guardduty.id": "f1",
          "aws.guardduty.type": "UnauthorizedAccess:EC2/SSHBruteForce",
          "aws.guardduty.resource.instanceDetails.instanceId": "i-1",
          "aws.guardduty.service.serviceName": "guardduty",
          "aws.guardduty.service.action.actionType": "NETWORK_CONNECTION",
          "aws.guardduty.service.action.networkConnectionAction.connectionDirection": "INBOUND",
          "aws.guardduty.service.action.networkConnectionAction.remoteIpDetails.ipAddressV4": "203.0.113.9",
          "aws.guardduty.service.action.networkConnectionAction.localPortDetails.port": 22,
          "aws.guardduty.service.eventLastSeen": "2024-05-01T10:00:00Z",
          "aws.guardduty.severity": 5,
          "aws.guardduty.title": "SSH brute force",
        },
      ],
    },
    { title: "another document", input: '{"a":1}', expect: { flaw: "unknown_shape" } },
  ],
});
