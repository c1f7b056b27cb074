/** CloudWatch Logs as its subscriptions deliver them (Firehose, Kinesis, Lambda): each event's message is decoded by its own format. Knows no transport. */
import {
  type DecodeContext,
  type Decoded,
  type DecodeResult,
  defineFormat,
  type JsonObject,
  type JsonValue,
  newFields,
  z,
} from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { type LineDecode, lineDecoder } from "../ecs_line.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { parseAnyTime } from "../time/parse.ts";

const notCloudwatch: Flaw = {
  code: "unknown_shape",
  expected: 'a subscription\'s message: {"messageType": "DATA_MESSAGE", "logGroup": …, "logEvents": [{"timestamp": …, "message": …}]}',
};

/** Parts of the names that AWS and its guides give the log groups of services whose lines do not tell by themselves. */
const datasets: readonly (readonly [part: string, dataset: string])[] = [
  ["vpcflow", "aws.vpcflow"],
  ["vpc-flow", "aws.vpcflow"],
  ["flowlog", "aws.vpcflow"],
  ["flow-log", "aws.vpcflow"],
];

/** Subscriptions' own test message, or one with events. */
const isDelivery = (object: JsonObject): boolean =>
  object["messageType"] === "CONTROL_MESSAGE" || (typeof object["logGroup"] === "string" && Array.isArray(object["logEvents"]));

/** CloudWatch's own limit of a group's and a stream's name, which every event repeats. */
const maxName = 512;

const text = (value: JsonValue | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function decodeObject(object: JsonObject, context: DecodeContext, decodeLine: LineDecode): DecodeResult {
  if (!isDelivery(object)) return notCloudwatch;
  const told = object["logEvents"];
  if (object["messageType"] === "CONTROL_MESSAGE" || !Array.isArray(told) || told.length === 0) return { skip: "control" };
  const group = text(object["logGroup"]);
  const dataset = datasets.find(([part]) => group?.toLowerCase().includes(part))?.[1];
  return (told as readonly JsonValue[]).flatMap((one) => {
    const line = isObject(one) && typeof one["message"] === "string" ? one["message"] : JSON.stringify(one);
    const inner = decodeLine(line.trimEnd(), { dataset, path: undefined, container: undefined }, context);
    const time = isObject(one) ? parseAnyTime(one["timestamp"]) : undefined;
    const known = inner !== undefined && !("code" in inner) && !("skip" in inner);
    const events = known ? ([inner].flat() as Decoded[]) : [plain(line.trimEnd())];
    for (const event of events) complete(event, object, line, time);
    return events;
  });
}

function plain(line: string): Decoded {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.dataset"] = "aws.cloudwatch";
  fields["event.module"] = "aws";
  fields["message"] = line;
  return { time: undefined, fields };
}

/** What the delivery says goes below what the line says; its time is exact where a line's has no year or zone. */
function complete(event: Decoded, object: JsonObject, line: string, time: number | undefined): void {
  const { fields } = event;
  event.time ??= time;
  event.original ??= line;
  fields["cloud.provider"] ??= "aws";
  for (const [field, name] of [
    ["cloud.account.id", "owner"],
    ["aws.cloudwatch.log_group", "logGroup"],
    ["aws.cloudwatch.log_stream", "logStream"],
  ] as const) {
    const value = text(object[name]);
    if (value !== undefined) fields[field] ??= value.slice(0, maxName);
  }
}

// One for all: it remembers only the decoders of the formats it hands lines to.
const shared = lineDecoder({});

export default defineFormat({
  name: "aws_cloudwatch",
  summary: "AWS CloudWatch Logs as subscriptions deliver them: CloudTrail, VPC flow logs, Kubernetes audit and lines of hosts within.",
  description:
    "Each event is read by the format of its message; the log group and stream are kept as aws.cloudwatch.log_group and aws.cloudwatch.log_stream.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) =>
    0.95 *
    share(sample, (line) => {
      const parsed = looksLikeObject(line) && line.length <= 65_536 ? parseObject(line) : notCloudwatch;
      return !isFlaw(parsed) && isDelivery(parsed as JsonObject);
    }),
  decoder() {
    const decodeLine = lineDecoder({});
    return (line, context) => {
      if (line.trim() === "") return { skip: "blank" };
      const parsed = parseObject(line);
      return isFlaw(parsed) ? parsed : decodeObject(parsed, context, decodeLine);
    };
  },
  json: {
    anyOf: ["logGroup", "messageType"],
    claims: (object) => (isDelivery(object) ? 1 : 0),
    decode: (object, _text, context) => decodeObject(object, context, shared),
  },
  examples: [
    {
      title: "a VPC flow record and a line that nobody knows",
      input:
        '{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/vpc/flowlogs","logStream":"eni-1","subscriptionFilters":["f"],"logEvents":[' +
        '{"id":"1","timestamp":1714557600123,"message":"2 123456789010 eni-1235b8ca123456789 192.0.2.7 172.31.9.69 49761 3389 6 20 4249 1714557600 1714557660 REJECT OK"},' +
        '{"id":"2","timestamp":1714557600456,"message":"hello\\n"}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:01:00.000000Z",
          "event.kind": "event",
          "event.module": "aws",
          "event.dataset": "aws.vpcflow",
          "event.category": "network",
          "cloud.provider": "aws",
          "aws.vpcflow.version": "2",
          "aws.vpcflow.account_id": "123456789010",
          "aws.vpcflow.interface_id": "eni-1235b8ca123456789",
          "aws.vpcflow.srcaddr": "192.0.2.7",
          "aws.vpcflow.dstaddr": "172.31.9.69",
          "aws.vpcflow.srcport": "49761",
          "aws.vpcflow.dstport": "3389",
          "aws.vpcflow.protocol": "6",
          "aws.vpcflow.packets": "20",
          "aws.vpcflow.bytes": "4249",
          "aws.vpcflow.start": "1714557600",
          "aws.vpcflow.end": "1714557660",
          "aws.vpcflow.action": "REJECT",
          "aws.vpcflow.log_status": "OK",
          "cloud.account.id": "123456789010",
          "source.ip": "192.0.2.7",
          "source.port": 49761,
          "source.bytes": 4249,
          "source.packets": 20,
          "destination.ip": "172.31.9.69",
          "destination.port": 3389,
          "network.bytes": 4249,
          "network.packets": 20,
          "network.iana_number": "6",
          "network.transport": "tcp",
          "event.type": ["connection", "denied"],
          "event.action": "reject",
          "event.outcome": "failure",
          "event.start": "2024-05-01T10:00:00.000000Z",
          "event.end": "2024-05-01T10:01:00.000000Z",
          "event.duration": 60000000000,
          "related.ip": ["192.0.2.7", "172.31.9.69"],
          "aws.cloudwatch.log_group": "/vpc/flowlogs",
          "aws.cloudwatch.log_stream": "eni-1",
        },
        {
          "@timestamp": "2024-05-01T10:00:00.456000Z",
          "event.kind": "event",
          "event.dataset": "aws.cloudwatch",
          "event.module": "aws",
          message: "hello",
          "cloud.provider": "aws",
          "cloud.account.id": "123456789012",
          "aws.cloudwatch.log_group": "/vpc/flowlogs",
          "aws.cloudwatch.log_stream": "eni-1",
        },
      ],
    },
    {
      title: "a subscription's test",
      input: '{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health"}]}',
      expect: { skip: "control" },
    },
    { title: "another document", input: '{"a":1}', expect: { flaw: "unknown_shape" } },
  ],
});
