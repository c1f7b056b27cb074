/** The journal's messages mean what the same message means in syslog, and its own fields stay its own. */
import type { Decoded, JsonObject } from "@vedette/kit";
import { expect, test } from "vitest";
import { formats } from "../registry.ts";
import journald from "./journald.ts";

const known = await formats();
const context = { preamble: undefined, received: 1_709_647_679_000_000, peer: undefined, source: "test", stream: "test" };
const decode = (object: object): Decoded => journald.json!.decode(object as JsonObject, "", context) as Decoded;
const entry = { __REALTIME_TIMESTAMP: "1709647679123456", _HOSTNAME: "login1", _UID: "0" };

test("a message is read as in syslog; the writer's user is not the message's", () => {
  const message = "Failed password for eve from 192.0.2.66 port 50122 ssh2";
  const { time, fields } = decode({ ...entry, SYSLOG_IDENTIFIER: "sshd", _PID: "4711", MESSAGE: message });
  const syslog = known.get("syslog")!.decoder({ utc_offset: "+00:00" });
  const expected = (syslog(`Mar  5 14:07:59 login1 sshd[4711]: ${message}`, context) as Decoded).fields;
  expect(time).toBe(1_709_647_679_123_456);
  for (const key of Object.keys(expected)) expect([key, fields[key]]).toEqual([key, expected[key]]);
  expect([fields["process.user.id"], fields["user.id"]]).toEqual(["0", undefined]);
});

test("a message as bytes", () => {
  expect(decode({ MESSAGE: [104, 105], _HOSTNAME: "h" }).fields["message"]).toBe("hi");
});

test("audit records in the journal are the audit format's, with the journal's host and time", () => {
  const { time, fields } = decode({
    ...entry,
    _TRANSPORT: "audit",
    MESSAGE: "type=USER_LOGIN msg=audit(1364481363.243:7): pid=812 uid=0 res=failed",
  });
  expect([fields["event.dataset"], fields["host.name"], time]).toEqual(["auditd.log", "login1", 1_364_481_363_243_000]);
});
