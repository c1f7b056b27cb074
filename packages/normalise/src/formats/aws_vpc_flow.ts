/** AWS VPC flow logs to ECS: text lines as delivered to CloudWatch and S3, and documents of collectors. Knows no address's owner. */
import { type DecodeResult, defineFormat, type JsonObject, newFields, z } from "@vedette/kit";
import type { Fields, Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { compileMapping } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";
import { epochOfAnyUnit, formatTime } from "../time/parse.ts";

const notFlow: Flaw = { code: "bad_vpc_flow", expected: "a VPC flow log line with as many columns as `columns` names" };

/** Version 2, which AWS writes unless told otherwise. */
const defaultColumns = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

const map = compileMapping({
  "cloud.account.id": "account-id",
  "cloud.region": "region",
  "cloud.availability_zone": "az-id",
  "cloud.instance.id": "instance-id",
  "source.ip": "srcaddr",
  "source.port": "srcport",
  "source.bytes": "bytes",
  "source.packets": "packets",
  "destination.ip": "dstaddr",
  "destination.port": "dstport",
  "network.bytes": "bytes",
  "network.packets": "packets",
  "network.iana_number": "protocol",
  "network.direction": "flow-direction",
});

/** The columns AWS has, by the spelling of collectors that write them as keys: `srcAddr`, `src_addr`, `srcaddr`. */
const known = new Map(
  `version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id subnet-id instance-id tcp-flags type
  pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path reject-reason`
    .split(/\s+/)
    .map((name) => [name.replaceAll("-", ""), name]),
);

const protocols = new Map([
  ["1", "icmp"],
  ["6", "tcp"],
  ["17", "udp"],
  ["47", "gre"],
  ["50", "esp"],
  ["58", "ipv6-icmp"],
  ["132", "sctp"],
]);

type Row = { readonly [column: string]: string };

function decodeRow(row: Row): { time: Micros | undefined; fields: Fields } {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "aws";
  fields["event.dataset"] = "aws.vpcflow";
  fields["event.category"] = "network";
  fields["cloud.provider"] = "aws";
  for (const column in row)
    if (row[column] !== "-" && row[column] !== "") fields[`aws.vpcflow.${column.replaceAll("-", "_")}`] = row[column]!;
  map(row, fields);
  const transport = protocols.get(row["protocol"] ?? "");
  if (transport !== undefined) fields["network.transport"] = transport;
  const action = row["action"];
  fields["event.type"] = action === "REJECT" ? ["connection", "denied"] : action === "ACCEPT" ? ["connection", "allowed"] : "connection";
  if (action === "ACCEPT" || action === "REJECT") {
    fields["event.action"] = action.toLowerCase();
    fields["event.outcome"] = action === "ACCEPT" ? "success" : "failure";
  }
  const start = timeOf(row["start"]);
  const end = timeOf(row["end"]);
  if (start !== undefined) fields["event.start"] = formatTime(start);
  if (end !== undefined) fields["event.end"] = formatTime(end);
  if (start !== undefined && end !== undefined && end >= start) fields["event.duration"] = (end - start) * 1000;
  relate(fields);
  return { time: end ?? start, fields };
}

const timeOf = (text: string | undefined): Micros | undefined =>
  text !== undefined && /^\d{1,19}$/.test(text) ? epochOfAnyUnit(Number(text)) : undefined;

/** A collector's document as a row. */
function rowOf(object: JsonObject): Row {
  const row: { [column: string]: string } = Object.create(null) as { [column: string]: string };
  for (const key in object) {
    const value = object[key];
    const column = known.get(key.toLowerCase().replaceAll(/[-_]/g, ""));
    if (column !== undefined && (typeof value === "string" || typeof value === "number")) row[column] = String(value);
  }
  return row;
}

function isFlow(object: JsonObject): boolean {
  const source = object["srcAddr"] ?? object["srcaddr"] ?? object["src_addr"];
  const target = object["dstAddr"] ?? object["dstaddr"] ?? object["dst_addr"];
  const aws = [
    "interfaceId",
    "interface_id",
    "interface-id",
    "vpcId",
    "vpc_id",
    "flowDirection",
    "flow_direction",
    "accountId",
    "account_id",
    "account-id",
    "logStatus",
    "log_status",
  ];
  return typeof source === "string" && typeof target === "string" && aws.some((name) => object[name] !== undefined);
}

const looksLikeFlow = (line: string): boolean =>
  /^\d \S{1,32} eni-\w{1,32} \S{1,45} \S{1,45} \S{1,5} \S{1,5} /.test(line) || line.startsWith("version account-id ");

export default defineFormat({
  name: "aws_vpc_flow",
  summary: "AWS VPC flow logs: lines of version 2 or with columns of one's own, and JSON documents of collectors.",
  description: "Every column is kept as aws.vpcflow.<column>. A header line is left out.",
  stability: "beta",
  config: z.strictObject({
    columns: z.string().max(1_024).default(defaultColumns).describe("Columns of the lines in AWS's spelling, with blanks between."),
  }),
  detect: (sample) => 0.95 * share(sample, looksLikeFlow),
  decoder(config) {
    const columns = config.columns.trim().split(/\s+/);
    return (text): DecodeResult => {
      const line = text.trimEnd();
      if (line === "") return { skip: "blank" };
      if (looksLikeObject(line)) {
        const parsed = parseObject(line);
        return isFlaw(parsed) ? parsed : isFlow(parsed) ? decodeRow(rowOf(parsed)) : notFlow;
      }
      if (/^[a-z]+(?:-[a-z]+)? /.test(line) && line.includes("srcaddr")) return { skip: "comment" };
      const values = line.split(" ");
      if (values.length !== columns.length) return notFlow;
      const row: { [column: string]: string } = Object.create(null) as { [column: string]: string };
      for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[i]!;
      return decodeRow(row);
    };
  },
  json: {
    anyOf: ["srcAddr", "srcaddr", "src_addr"],
    claims: (object) => (isFlow(object) ? 0.95 : 0),
    decode: (object) => (isFlow(object) ? decodeRow(rowOf(object)) : notFlow),
  },
  examples: [
    {
      title: "a refused connection",
      input: "2 123456789010 eni-1235b8ca123456789 192.0.2.7 172.31.9.69 49761 3389 6 20 4249 1714557600 1714557660 REJECT OK",
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
        },
      ],
    },
    {
      title: "no traffic",
      input: "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1714557600 1714557660 - NODATA",
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
          "aws.vpcflow.start": "1714557600",
          "aws.vpcflow.end": "1714557660",
          "aws.vpcflow.log_status": "NODATA",
          "cloud.account.id": "123456789010",
          "event.type": "connection",
          "event.start": "2024-05-01T10:00:00.000000Z",
          "event.end": "2024-05-01T10:01:00.000000Z",
          "event.duration": 60000000000,
        },
      ],
    },
    {
      title: "a collector's document",
      input:
        '{"srcAddr":"10.0.0.1","dstAddr":"192.0.2.1","srcPort":54321,"dstPort":8080,"flowDirection":"egress","vpcId":"vpc-1","region":"us-east-1"}',
      expect: [
        {
          "event.kind": "event",
          "event.module": "aws",
          "event.dataset": "aws.vpcflow",
          "event.category": "network",
          "cloud.provider": "aws",
          "aws.vpcflow.srcaddr": "10.0.0.1",
          "aws.vpcflow.dstaddr": "192.0.2.1",
          "aws.vpcflow.srcport": "54321",
          "aws.vpcflow.dstport": "8080",
          "aws.vpcflow.flow_direction": "egress",
          "aws.vpcflow.vpc_id": "vpc-1",
          "aws.vpcflow.region": "us-east-1",
          "cloud.region": "us-east-1",
          "source.ip": "10.0.0.1",
          "source.port": 54321,
          "destination.ip": "192.0.2.1",
          "destination.port": 8080,
          "network.direction": "egress",
          "event.type": "connection",
          "related.ip": ["10.0.0.1", "192.0.2.1"],
        },
      ],
    },
    {
      title: "another line",
      input: "2 eni",
      expect: {
        flaw: "bad_vpc_flow",
      },
    },
  ],
});
