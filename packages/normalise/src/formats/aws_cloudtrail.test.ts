/** Real CloudTrail records decode with who, what, where and how it ended; containers give one event a record. */
import { join } from "node:path";
import type { Decoded, JsonObject, JsonValue } from "@vedette/kit";
import { describe, expect, test } from "vitest";
import { readJsonLines, sharedSet } from "../shared_sets.test.data.ts";
import cloudtrail from "./aws_cloudtrail.ts";

const context = { preamble: undefined, received: 0, peer: undefined, source: "test", stream: "test" };
const json = cloudtrail.json!;
const decode = (record: object): Decoded => json.decode(record as JsonObject, "", context) as Decoded;
const record = { eventVersion: "1.08", eventSource: "ec2.amazonaws.com", eventName: "RunInstances", eventTime: "2024-05-01T10:00:00Z" };

describe("one record", () => {
  test("what calls mean", () => {
    const meaning = (eventSource: string, eventName: string) => {
      const { fields } = decode({ ...record, eventSource, eventName });
      return [fields["event.category"], fields["event.type"]].flat();
    };
    expect(meaning("ec2.amazonaws.com", "RunInstances")).toEqual(["configuration", "creation"]);
    expect(meaning("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress")).toEqual(["network", "configuration", "change"]);
    expect(meaning("sts.amazonaws.com", "AssumeRole")).toEqual(["authentication", "start"]);
    expect(meaning("iam.amazonaws.com", "CreateUser")).toEqual(["iam", "creation"]);
    expect(meaning("iam.amazonaws.com", "AttachUserPolicy")).toEqual(["iam", "user", "change"]);
    expect(meaning("s3.amazonaws.com", "GetObject")).toEqual(["file", "access"]);
    expect(meaning("cloudtrail.amazonaws.com", "StopLogging")).toEqual(["configuration", "change"]);
    expect(meaning("", "")).toEqual(["configuration", "change"]);
  });

  test("how it ended", () => {
    const outcome = (more: object) => decode({ ...record, ...more }).fields["event.outcome"];
    expect(outcome({})).toBe("success");
    expect(outcome({ errorCode: "AccessDenied" })).toBe("failure");
    expect(outcome({ eventName: "ConsoleLogin", responseElements: { ConsoleLogin: "Failure" } })).toBe("failure");
    expect(outcome({ eventName: "ConsoleLogin", responseElements: { ConsoleLogin: "Success" } })).toBe("success");
    expect(outcome({ eventName: "CheckMfa", responseElements: { CheckMfa: "Failure" } })).toBe("failure");
  });

  test("who", () => {
    const user = (userIdentity: object) => decode({ ...record, userIdentity }).fields["user.name"];
    expect(user({ type: "IAMUser", userName: "ada" })).toBe("ada");
    expect(
      user({ type: "AssumedRole", arn: "arn:aws:sts::1:assumed-role/admin/ada", sessionContext: { sessionIssuer: { userName: "admin" } } }),
    ).toBe("admin");
    expect(user({ type: "Root", arn: "arn:aws:iam::1:root" })).toBe("root");
    expect(user({ type: "AWSService", invokedBy: "ec2.amazonaws.com" })).toBe("ec2.amazonaws.com");
    expect(user({ type: "FederatedUser", arn: "arn:aws:sts::1:federated-user/eve" })).toBe("eve");
  });

  test("from where: an address, or a service's name", () => {
    const address = decode({ ...record, sourceIPAddress: "2001:db8::1" }).fields;
    expect(address["source.ip"]).toBe("2001:db8::1");
    const service = decode({ ...record, sourceIPAddress: "autoscaling.amazonaws.com" }).fields;
    expect([service["source.ip"], service["source.address"]]).toEqual([undefined, "autoscaling.amazonaws.com"]);
  });

  test("paths keep AWS's spelling; arrays of objects give one array a path; requests are searchable as a whole", () => {
    const requestParameters = { ipPermissions: { items: [{ fromPort: 22 }, { fromPort: 3389 }] }, dryRun: false };
    const { fields } = decode({ ...record, requestParameters });
    expect(fields["aws.cloudtrail.requestParameters.ipPermissions.items.fromPort"]).toEqual([22, 3389]);
    expect(fields["aws.cloudtrail.requestParameters.dryRun"]).toBe(false);
    expect(fields["aws.cloudtrail.request_parameters"]).toBe(JSON.stringify(requestParameters));
  });
});

describe("documents", () => {
  test("claims its own and leaves S3 notifications alone", () => {
    const claims = (object: JsonValue) => json.claims(object as JsonObject, context);
    expect(claims(record)).toBe(1);
    expect(claims({ Records: [record] })).toBe(1);
    expect(claims({ "detail-type": "AWS API Call via CloudTrail", detail: record })).toBe(1);
    expect(claims({ Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", eventVersion: "2.1", awsRegion: "x" }] })).toBe(0);
    expect(claims({ Records: "no" })).toBe(0);
  });

  test("every member of a container becomes an event with its own original, odd ones too", () => {
    const result = cloudtrail.decoder({})(JSON.stringify({ Records: [record, 7, { a: 1 }] }), context) as Decoded[];
    expect(result.map((one) => one.original)).toEqual([JSON.stringify(record), "7", '{"a":1}']);
    expect(result[1]!.fields["value"]).toBe(7);
  });
});

function check(records: readonly object[]) {
  const categories: { [category: string]: number } = {};
  for (const one of records) {
    const { time, fields } = decode(one);
    const category = [fields["event.category"]].flat().join("+");
    categories[category] = (categories[category] ?? 0) + 1;
    if ((one as { eventTime?: string }).eventTime?.startsWith("20")) expect(time).toBeDefined();
    expect(fields["event.action"]).toBe((one as { eventName?: string }).eventName);
    expect(fields["event.outcome"]).toMatch(/success|failure/);
  }
  return categories;
}

const stratus = sharedSet("aws-stratus");
test.skipIf(stratus === undefined)("Stratus Red Team: 102 records of 13 techniques", () => {
  const detonations = readJsonLines(join(stratus!, "detonations.jsonl.gz")) as { readonly events: readonly JsonObject[] }[];
  const records = detonations.flatMap((one) => one.events);
  for (const one of records) {
    expect(json.claims(one, context)).toBe(1);
    const { fields } = decode(one);
    expect(fields["event.id"]).toBe(one["eventID"]);
    expect(fields["user.name"]).toBeDefined();
    expect(fields["cloud.account.id"]).toBeDefined();
  }
  expect(records.length).toBe(102);
  expect(check(records)).toMatchInlineSnapshot(`
    {
      "authentication": 2,
      "configuration": 70,
      "database": 1,
      "iam": 28,
      "network+configuration": 1,
    }
  `);
});

const panther = sharedSet("panther-analysis");
test.skipIf(panther === undefined)("Panther's CloudTrail cases", () => {
  const cases = readJsonLines(join(panther!, "cases.jsonl.gz")) as {
    readonly log_types: readonly string[] | null;
    readonly event: JsonObject;
  }[];
  const records = cases.filter((one) => one.log_types?.includes("AWS.CloudTrail")).map((one) => one.event);
  const claimed = records.filter((one) => json.claims(one, context) >= 0.5);
  expect([records.length, claimed.length]).toMatchInlineSnapshot(`
    [
      263,
      212,
    ]
  `);
  // None of the other logs may be taken for CloudTrail.
  const others = cases.filter((one) => !one.log_types?.some((type) => type.startsWith("AWS."))).map((one) => one.event);
  expect(others.filter((one) => json.claims(one, context) >= 0.5).length).toBe(0);
  expect(check(claimed)).toMatchInlineSnapshot(`
    {
      "authentication": 22,
      "configuration": 85,
      "database": 31,
      "file": 11,
      "iam": 44,
      "network+configuration": 19,
    }
  `);
});
