/** Microsoft 365's unified audit log to ECS, as the Management Activity API and its exports give it. Knows no tenant. */
import { type JsonObject, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { typeOfOperation } from "../ecs/verbs.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { spelling } from "../json/spelling.ts";
import { setUrl } from "../web/url.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: "a record of the unified audit log: {CreationTime, Operation, Workload, RecordType, …}",
};

const read = documentReader({
  module: "o365",
  dataset: "o365.audit",
  prefix: "o365.audit.",
  time: ["CreationTime"],
  map: {
    "event.action": "Operation",
    "event.id": "Id",
    "event.provider": "Workload",
    "event.code": "RecordType",
    "event.reason": ["LogonError", "ResultStatusDetail"],
    "user.name": "UserId",
    "user.id": "UserKey",
    "user.target.name": "TargetUserOrGroupName",
    "source.ip": ["ClientIP", "ClientIPAddress", "ActorIpAddress"],
    "user_agent.original": ["UserAgent", "ClientInfoString"],
    "organization.id": "OrganizationId",
    "organization.name": "OrganizationName",
    "file.name": "SourceFileName",
    "file.extension": "SourceFileExtension",
    "file.directory": "SourceRelativeUrl",
  },
});

const categories = new Map<string, string>([
  ["azureactivedirectory", "iam"],
  ["sharepoint", "file"],
  ["onedrive", "file"],
  ["exchange", "email"],
  ["threatintelligence", "intrusion_detection"],
  ["securitycompliancecenter", "intrusion_detection"],
]);
const signIns = new Set(["UserLoggedIn", "UserLoginFailed", "MailboxLogin", "TeamsSessionStarted"]);

const { restore, member } = spelling(
  `CreationTime Operation Workload RecordType Id UserId UserKey UserType ClientIP ClientIPAddress ActorIpAddress ResultStatus ObjectId OrganizationId OrganizationName
  Parameters ExtendedProperties LogonError UserAgent SourceFileName TargetUserOrGroupName`,
);

function setOutcome(fields: Fields, object: JsonObject): void {
  const status = textOf(object["ResultStatus"]) ?? "";
  const operation = textOf(object["Operation"]) ?? "";
  if (/fail|^false$/i.test(status) || operation === "UserLoginFailed") fields["event.outcome"] = "failure";
  else if (/succe|^true$/i.test(status) || operation === "UserLoggedIn") fields["event.outcome"] = "success";
  else if (/partial/i.test(status)) fields["event.outcome"] = "unknown";
}

const has = (object: JsonObject, name: string): boolean => member(object, name) !== undefined;

export default defineDocuments({
  name: "m365_audit",
  summary: "Microsoft 365's unified audit log: Exchange, SharePoint, OneDrive, Entra ID, Teams, threat intelligence.",
  description: "Every value is kept as o365.audit.<path> in Microsoft's own spelling.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["Operation"],
  claims: (object) =>
    has(object, "Operation") &&
    has(object, "Workload") &&
    (has(object, "RecordType") || has(object, "CreationTime") || has(object, "UserId"))
      ? 1
      : 0,
  decode(told) {
    if (!has(told, "Operation") || !has(told, "Workload")) return unknownShape;
    const object = restore(told);
    const { time, fields } = read(object);
    const operation = textOf(object["Operation"]) ?? "";
    if (signIns.has(operation)) {
      fields["event.category"] = "authentication";
      fields["event.type"] = operation === "UserLoginFailed" ? "info" : "start";
    } else {
      fields["event.category"] = categories.get(textOf(object["Workload"])?.toLowerCase() ?? "") ?? "configuration";
      fields["event.type"] = typeOfOperation(operation);
    }
    const target = textOf(object["ObjectId"]);
    if (target?.startsWith("https://")) setUrl(fields, target);
    setOutcome(fields, object);
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a mailbox made to forward",
      input:
        '{"CreationTime":"2024-05-01T10:00:00","Id":"e1","Operation":"Set-Mailbox","OrganizationId":"o1","RecordType":1,"ResultStatus":"True","UserKey":"k1","UserType":2,"Workload":"Exchange",' +
        '"ClientIP":"192.0.2.10:51234","ObjectId":"bob","UserId":"ada@example.com","Parameters":[{"Name":"Identity","Value":"bob"},{"Name":"ForwardingSmtpAddress","Value":"smtp:eve@example.net"}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "o365",
          "event.dataset": "o365.audit",
          "o365.audit.CreationTime": "2024-05-01T10:00:00",
          "o365.audit.Id": "e1",
          "o365.audit.Operation": "Set-Mailbox",
          "o365.audit.OrganizationId": "o1",
          "o365.audit.RecordType": 1,
          "o365.audit.ResultStatus": "True",
          "o365.audit.UserKey": "k1",
          "o365.audit.UserType": 2,
          "o365.audit.Workload": "Exchange",
          "o365.audit.ClientIP": "192.0.2.10:51234",
          "o365.audit.ObjectId": "bob",
          "o365.audit.UserId": "ada@example.com",
          "o365.audit.Parameters.Name": ["Identity", "ForwardingSmtpAddress"],
          "o365.audit.Parameters.Value": ["bob", "smtp:eve@example.net"],
          "event.action": "Set-Mailbox",
          "event.id": "e1",
          "event.provider": "Exchange",
          "event.code": "1",
          "user.name": "ada@example.com",
          "user.id": "k1",
          "source.ip": "192.0.2.10",
          "organization.id": "o1",
          "event.category": "email",
          "event.type": "change",
          "event.outcome": "success",
          "related.ip": ["192.0.2.10"],
          "related.user": ["ada@example.com"],
        },
      ],
    },
    {
      title: "a failed sign-in",
      input:
        '{"CreationTime":"2024-05-01T10:00:01","Operation":"UserLoginFailed","RecordType":15,"ResultStatus":"Success","Workload":"AzureActiveDirectory","ClientIP":"[2001:db8::7]:443","UserId":"bob@example.com","LogonError":"InvalidUserNameOrPassword"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.000000Z",
          "event.kind": "event",
          "event.module": "o365",
          "event.dataset": "o365.audit",
          "o365.audit.CreationTime": "2024-05-01T10:00:01",
          "o365.audit.Operation": "UserLoginFailed",
          "o365.audit.RecordType": 15,
          "o365.audit.ResultStatus": "Success",
          "o365.audit.Workload": "AzureActiveDirectory",
          "o365.audit.ClientIP": "[2001:db8::7]:443",
          "o365.audit.UserId": "bob@example.com",
          "o365.audit.LogonError": "InvalidUserNameOrPassword",
          "event.action": "UserLoginFailed",
          "event.provider": "AzureActiveDirectory",
          "event.code": "15",
          "event.reason": "InvalidUserNameOrPassword",
          "user.name": "bob@example.com",
          "source.ip": "2001:db8::7",
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
      input: '{"Operation":"x"}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
