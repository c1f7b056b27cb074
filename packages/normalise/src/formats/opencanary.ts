/** OpenCanary's events to ECS: whoever touches a canary is an alert. Knows no other honeypot. */
import { type JsonObject, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { defineDocuments, documentReader } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";

const unknownShape: Flaw = { code: "unknown_shape", expected: "an OpenCanary event: {logtype, node_id, src_host, dst_port, logdata}" };

const read = documentReader({
  module: "opencanary",
  dataset: "opencanary.log",
  prefix: "opencanary.",
  time: ["utc_time", "local_time_adjusted", "local_time"],
  map: {
    "event.code": "logtype",
    "observer.name": "node_id",
    "source.ip": "src_host",
    "source.port": "src_port",
    "destination.ip": "dst_host",
    "destination.port": "dst_port",
    "user.name": ["logdata.USERNAME", "logdata.username"],
    "url.path": "logdata.PATH",
    "user_agent.original": "logdata.USERAGENT",
    "http.request.method": "logdata.METHOD",
    "file.path": ["logdata.FILENAME", "logdata.PATHNAME"],
  },
});

/** Log types at which somebody tried to log in. Source: opencanary/logger.py, LoggerBase. */
const logins = new Set([2000, 3001, 4002, 6001, 7001, 8001, 9001, 9002, 12001, 13001, 14001, 17001]);

const isEvent = (object: JsonObject): boolean =>
  typeof object["logtype"] === "number" &&
  object["node_id"] !== undefined &&
  (isObject(object["logdata"]) || object["src_host"] !== undefined);

export default defineDocuments({
  name: "opencanary",
  summary: "OpenCanary's JSON log: logins, scans and requests to canaries.",
  description: "Every value is kept as opencanary.<path>. Events of the canary's own (log type below 2000) are no alerts.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["logtype"],
  claims: (object) => (isEvent(object) ? 1 : 0),
  decode(object) {
    if (!isEvent(object)) return unknownShape;
    const { time, fields } = read(object);
    const type = object["logtype"] as number;
    const touched = type >= 2_000;
    fields["event.kind"] = touched ? "alert" : "event";
    const isLogin = logins.has(type);
    fields["event.category"] = !touched ? "host" : isLogin ? ["authentication", "intrusion_detection"] : ["network", "intrusion_detection"];
    fields["event.type"] = "info";
    if (isLogin) fields["event.outcome"] = "failure";
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a login at a canary's SSH",
      input:
        '{"dst_host":"10.0.0.9","dst_port":22,"local_time":"2024-05-01 10:00:00.123456","logdata":{"LOCALVERSION":"SSH-2.0-OpenSSH_5.1p1","PASSWORD":"x","USERNAME":"root"},"logtype":4002,"node_id":"canary1","src_host":"192.0.2.7","src_port":4242}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123456Z",
          "event.kind": "alert",
          "event.module": "opencanary",
          "event.dataset": "opencanary.log",
          "opencanary.dst_host": "10.0.0.9",
          "opencanary.dst_port": 22,
          "opencanary.local_time": "2024-05-01 10:00:00.123456",
          "opencanary.logdata.LOCALVERSION": "SSH-2.0-OpenSSH_5.1p1",
          "opencanary.logdata.PASSWORD": "x",
          "opencanary.logdata.USERNAME": "root",
          "opencanary.logtype": 4002,
          "opencanary.node_id": "canary1",
          "opencanary.src_host": "192.0.2.7",
          "opencanary.src_port": 4242,
          "event.code": "4002",
          "observer.name": "canary1",
          "source.ip": "192.0.2.7",
          "source.port": 4242,
          "destination.ip": "10.0.0.9",
          "destination.port": 22,
          "user.name": "root",
          "event.category": ["authentication", "intrusion_detection"],
          "event.type": "info",
          "event.outcome": "failure",
          "related.ip": ["192.0.2.7", "10.0.0.9"],
          "related.user": ["root"],
        },
      ],
    },
    {
      title: "another document",
      input: '{"logtype":4002}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
