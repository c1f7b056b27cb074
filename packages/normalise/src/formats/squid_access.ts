/** Squid's native access log to ECS: one request through the proxy a line. Knows no site's rules. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { plainIp, setSource } from "../linux/peer.ts";
import { parseEpochSeconds } from "../time/parse.ts";
import { setAuthority, setUrl } from "../web/url.ts";

const notSquid: Flaw = {
  code: "bad_squid_log",
  expected: "SECONDS.MS MILLISECONDS CLIENT TCP_MISS/200 BYTES METHOD URL USER HIER_DIRECT/ADDRESS TYPE",
};

/** `logformat squid` (squid.conf): its first seven columns; what follows is the user, the peer and the type. */
const line =
  /^(\d{9,11}\.\d{3}) {1,16}(-?\d{1,10}) (\S{1,255}) ([A-Z_]{3,64})\/(\d{3}) (\d{1,16}) ([A-Z_-]{1,32}) (.+) (\S{1,255}) ([A-Z_]{3,64})\/(\S{1,255}) (\S{1,255})$/;
/** Longer ones are Squid's own limit on a request line several times over. */
const maxLine = 65_536;

export default defineFormat({
  name: "squid_access",
  summary: "Squid's access log in its native form.",
  description:
    "source is the client, destination what Squid asked in its place. Logs in the common or combined form are read as a web server's.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (one) => line.test(one.trimEnd().slice(0, maxLine))),
  decoder: () => (text) => {
    const whole = text.trimEnd();
    if (whole === "") return { skip: "blank" };
    const told = whole.length > maxLine ? null : line.exec(whole);
    if (told === null) return notSquid;
    const [, seconds, took, client, result, status, bytes, method, url, user, hierarchy, peer, type] = told as unknown as string[];
    const fields = newFields();
    fields["event.kind"] = "event";
    fields["event.category"] = ["network", "web"];
    const denied = /DENIED/.test(result!);
    fields["event.type"] = denied ? ["access", "denied"] : "access";
    fields["event.module"] = "squid";
    fields["event.dataset"] = "squid.access";
    fields["event.action"] = result!.toLowerCase();
    fields["event.outcome"] = denied || Number(status) >= 400 ? "failure" : "success";
    fields["event.duration"] = Math.max(0, Number(took)) * 1_000_000;
    setSource(fields, client!);
    if (user !== "-") fields["user.name"] = user;
    fields["http.request.method"] = method;
    if (Number(status) > 0) fields["http.response.status_code"] = Number(status);
    fields["http.response.bytes"] = Number(bytes);
    if (type !== "-") fields["http.response.mime_type"] = type;
    setUrl(fields, url!);
    if (method === "CONNECT") setAuthority(fields, url!);
    fields["squid.access.hierarchy"] = hierarchy;
    const address = plainIp(peer!);
    if (address !== undefined) fields["destination.ip"] = address;
    else if (peer !== "-") fields["destination.domain"] = peer;
    relate(fields);
    return { time: parseEpochSeconds(seconds!), fields };
  },
  examples: [
    {
      title: "a tunnel that was refused",
      input: "1714557600.123     89 10.0.0.9 TCP_DENIED/403 3900 CONNECT pool.example.net:3333 ada HIER_NONE/- text/html",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123000Z",
          "event.kind": "event",
          "event.category": ["network", "web"],
          "event.type": ["access", "denied"],
          "event.module": "squid",
          "event.dataset": "squid.access",
          "event.action": "tcp_denied",
          "event.outcome": "failure",
          "event.duration": 89_000_000,
          "source.ip": "10.0.0.9",
          "user.name": "ada",
          "http.request.method": "CONNECT",
          "http.response.status_code": 403,
          "http.response.bytes": 3900,
          "http.response.mime_type": "text/html",
          "url.original": "pool.example.net:3333",
          "url.domain": "pool.example.net",
          "url.port": 3333,
          "squid.access.hierarchy": "HIER_NONE",
          "related.ip": ["10.0.0.9"],
          "related.user": ["ada"],
        },
      ],
    },
    { title: "another line", input: "hello", expect: { flaw: "bad_squid_log" } },
  ],
});
