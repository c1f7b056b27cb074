/** Messages of Google Cloud Pub/Sub, as push subscriptions and exporters deliver them: what they carry is decoded by its own format. Knows no product. */
import { type DecodeContext, type Decoded, type DecodeResult, defineFormat, type JsonObject, newFields, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { type LineDecode, lineDecoder } from "../ecs_line.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { parseAnyTime } from "../time/parse.ts";

const notPubsub: Flaw = {
  code: "bad_pubsub",
  expected: 'a Pub/Sub message: {"message": {"data": BASE64, "messageId": …, "publishTime": …}, "subscription": …}',
};

/** The message of a push, or one that a pull gave. */
function messageOf(object: JsonObject): JsonObject | undefined {
  const { message } = object;
  if (!isObject(message) || typeof message["data"] !== "string") return undefined;
  const known =
    message["messageId"] ??
    message["message_id"] ??
    message["publishTime"] ??
    message["publish_time"] ??
    object["subscription"] ??
    object["ackId"];
  return known === undefined ? undefined : message;
}

const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function decodeObject(object: JsonObject, context: DecodeContext, decodeLine: LineDecode): DecodeResult {
  const message = messageOf(object);
  const data = message?.["data"];
  if (message === undefined || typeof data !== "string" || !base64.test(data)) return notPubsub;
  const text = Buffer.from(data, "base64").toString("utf8").trimEnd();
  const published = parseAnyTime(message["publishTime"] ?? message["publish_time"]);
  const inner = text === "" ? undefined : decodeLine(text, { dataset: undefined, path: undefined, container: undefined }, context);
  if (inner !== undefined && !("code" in inner) && !("skip" in inner)) {
    for (const one of [inner].flat() as Decoded[]) one.time ??= published;
    return inner;
  }
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "gcp";
  fields["event.dataset"] = "gcp.pubsub";
  fields["message"] = text;
  return { time: published, fields };
}

const shared = lineDecoder({});

export default defineFormat({
  name: "gcp_pubsub",
  summary: "Google Cloud's Pub/Sub messages with what they carry decoded: audit logs, other logs.",
  description:
    "What the message carries decides its fields; what nobody knows is kept as its text. The record itself stays the event's original.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) =>
    0.95 *
    share(sample, (line) => {
      const parsed = looksLikeObject(line) && line.length <= 65_536 ? parseObject(line) : notPubsub;
      return !isFlaw(parsed as JsonObject) && parsed !== notPubsub && messageOf(parsed as JsonObject) !== undefined;
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
    claims: (object) => (messageOf(object) === undefined ? 0 : 0.95),
    decode: (object, _text, context) => decodeObject(object, context, shared),
  },
  examples: [
    {
      title: "a line of a program",
      input:
        '{"message":{"data":"aGVsbG8=","messageId":"1","publishTime":"2024-05-01T10:00:00.5Z"},"subscription":"projects/p/subscriptions/s"}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.500000Z",
          "event.kind": "event",
          "event.module": "gcp",
          "event.dataset": "gcp.pubsub",
          message: "hello",
        },
      ],
    },
    { title: "another document", input: '{"message":"x"}', expect: { flaw: "bad_pubsub" } },
  ],
});
